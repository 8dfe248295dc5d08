import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, createdAt } from './columns.ts'

/** Changes under way and their outcomes. An open operation is the lock on its subject. */
export const operations = pgTable(
  'operations',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    subject: text('subject').notNull(),
    /** Whose belongings it changes; null for the site's. */
    ownerId: text('owner_id'),
    /** Who may ask for it: the caller, or the admin who acted. */
    actorId: text('actor_id'),
    actorName: text('actor_name'),
    asName: text('as_name'),
    surface: text('surface').notNull(),
    /** From where, and with which key: for the audit log. */
    address: text('address'),
    fingerprint: text('fingerprint'),
    command: text('command').notNull(),
    target: text('target'),
    requestId: text('request_id').notNull(),
    input: jsonb('input').$type<unknown>().notNull(),
    state: jsonb('state').$type<Record<string, unknown>>().notNull().default({}),
    step: integer('step').notNull().default(0),
    status: text('status').$type<'open' | 'undoing' | 'done' | 'failed'>().notNull().default('open'),
    progress: text('progress'),
    error: jsonb('error').$type<{ code: string; sentence: string; try?: string }>(),
    reply: jsonb('reply').$type<unknown>(),
    /** The fence when it was last put back: lives since then have ended without a word of it. */
    attempts: integer('attempts').notNull().default(0),
    nextAt: at('next_at').notNull().defaultNow(),
    holder: text('holder'),
    leaseUntil: at('lease_until'),
    fence: integer('fence').notNull().default(0),
    createdAt: createdAt(),
    finishedAt: at('finished_at'),
  },
  (table) => [
    uniqueIndex('operations_subject')
      .on(table.subject)
      .where(sql`${table.status} in ('open', 'undoing')`),
    index('operations_open')
      .on(table.nextAt)
      .where(sql`${table.status} in ('open', 'undoing')`),
    index('operations_owner').on(table.ownerId, table.createdAt),
    index('operations_request').on(table.requestId),
  ],
)

/** Who runs a loop; the fence grows each time it changes hands. */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  holder: text('holder').notNull(),
  until: at('until').notNull(),
  fence: integer('fence').notNull().default(1),
})

/** Calls with an Idempotency-Key and what they were answered; the reply is sealed, for it may show a secret. */
export const calls = pgTable(
  'calls',
  {
    ownerId: text('owner_id').notNull(),
    key: text('key').notNull(),
    digest: text('digest').notNull(),
    operationId: text('operation_id'),
    reply: text('reply'),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.key] }), index('calls_created').on(table.createdAt)],
)
