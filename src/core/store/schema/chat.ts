import { sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, big, createdAt } from './columns.ts'
import { people } from './people.ts'

/** Which chat accounts are whose. The user id is the platform's stable one, within its workspace, guild or organisation. */
export const identities = pgTable(
  'identities',
  {
    platform: text('platform').notNull(),
    scope: text('scope').notNull(),
    userId: text('user_id').notNull(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    /** What the platform called them when they were linked; only shown. */
    label: text('label').notNull().default(''),
    usedAt: at('used_at').notNull().defaultNow(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.platform, table.scope, table.userId] }),
    index('identities_owner').on(table.ownerId),
  ],
)

/** Workspaces and guilds that DCM is in, by platform and tenant; `cutAt`: it was thrown out there. */
export const installations = pgTable(
  'installations',
  {
    platform: text('platform').notNull(),
    scope: text('scope').notNull(),
    /** What the platform gave, sealed for this row: tokens. Null where the configuration holds them. */
    sealed: text('sealed'),
    cutAt: at('cut_at'),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.platform, table.scope] })],
)

/**
 * Messages owed to a platform. One with a `call` owes its result and is stored before the call is carried out; `key`
 * names the delivery that it came by, so that the same delivered twice is one. Everything that was said is sealed.
 */
export const outbox = pgTable(
  'outbox',
  {
    id: text('id').primaryKey(),
    platform: text('platform').notNull(),
    key: text('key'),
    /** Whom it is for: platform/scope/user of the visitor, or null for a channel. */
    visitor: text('visitor'),
    address: text('address').notNull(),
    call: text('call'),
    letter: text('letter'),
    /** Where the platform has put it, in the adapter's own words: what an edit needs. */
    place: jsonb('place').$type<Record<string, unknown>>(),
    status: text('status').$type<'called' | 'owed' | 'sent' | 'dropped'>().notNull(),
    operationId: text('operation_id'),
    /** Sends that were begun: one that was begun and not ended may have arrived. */
    sends: integer('sends').notNull().default(0),
    /** Grows when the letter is written anew, as cards are. */
    revision: integer('revision').notNull().default(0),
    attempts: integer('attempts').notNull().default(0),
    nextAt: at('next_at').notNull().defaultNow(),
    holder: text('holder'),
    leaseUntil: at('lease_until'),
    fence: integer('fence').notNull().default(0),
    createdAt: createdAt(),
    sentAt: at('sent_at'),
  },
  (table) => [
    uniqueIndex('outbox_key').on(table.platform, table.key),
    index('outbox_due')
      .on(table.nextAt)
      .where(sql`${table.status} in ('called', 'owed')`),
    index('outbox_created').on(table.createdAt),
  ],
)

/** What buttons stand for. Whoever presses one is checked; `bound` ones are their asker's alone. */
export const buttons = pgTable(
  'buttons',
  {
    id: text('id').primaryKey(),
    outboxId: text('outbox_id'),
    /** Sealed; null for a button that only ends a question. */
    line: text('line'),
    asker: text('asker'),
    bound: boolean('bound').notNull(),
    /** Takes the place of the message that it stands on. */
    instead: boolean('instead').notNull(),
    pressedBy: jsonb('pressed_by').$type<string[]>().notNull().default([]),
    expiresAt: at('expires_at').notNull(),
    createdAt: createdAt(),
  },
  (table) => [index('buttons_expires').on(table.expiresAt), index('buttons_outbox').on(table.outboxId)],
)

/** What members asked the admins for. `ownerId` is null while somebody asks to be let in. */
export const requests = pgTable(
  'requests',
  {
    id: text('id').primaryKey(),
    ownerId: text('owner_id').references(() => people.id, { onDelete: 'cascade' }),
    thing: text('thing').notNull(),
    /** Milliseconds that it is asked for. */
    lives: big('lives'),
    why: text('why').notNull().default(''),
    /** The chat account that asks to be let in. */
    visitor: jsonb('visitor').$type<{ platform: string; scope: string; user: string; label: string }>(),
    state: text('state').$type<'open' | 'approved' | 'denied'>().notNull().default('open'),
    decidedBy: text('decided_by'),
    decidedAt: at('decided_at'),
    /** The outbox rows that show it to admins. */
    cards: jsonb('cards').$type<string[]>().notNull().default([]),
    createdAt: createdAt(),
  },
  (table) => [
    index('requests_owner').on(table.ownerId),
    index('requests_open')
      .on(table.createdAt)
      .where(sql`${table.state} = 'open'`),
  ],
)

/** What members should hear of by themselves; those of one moment go out as one message. */
export const notices = pgTable(
  'notices',
  {
    id: text('id').primaryKey(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    kind: text('kind').notNull(),
    /** The same thing is told once. */
    key: text('key').notNull(),
    text: text('text').notNull(),
    actions: jsonb('actions').$type<{ label: string; line: string; danger?: true }[]>().notNull().default([]),
    createdAt: createdAt(),
    toldAt: at('told_at'),
  },
  (table) => [
    uniqueIndex('notices_key').on(table.ownerId, table.key),
    index('notices_untold')
      .on(table.createdAt)
      .where(sql`${table.toldAt} is null`),
  ],
)

/** Kinds of notices that a member has turned off. */
export const mutes = pgTable(
  'mutes',
  {
    ownerId: text('owner_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    kind: text('kind').notNull(),
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.kind] })],
)
