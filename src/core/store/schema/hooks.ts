import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { DeliveryState, Places, Scheme } from '../../model/hook.ts'
import { at, createdAt } from './columns.ts'
import { people } from './people.ts'

/** Webhooks from CI. `sealed`: the secret, which opens for this row alone; `previous`: the one before the last rotation. */
export const hooks = pgTable(
  'hooks',
  {
    id: text('id').primaryKey(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    line: text('line').notNull(),
    verify: text('verify').$type<Scheme>().notNull(),
    events: jsonb('events').$type<string[]>().notNull().default([]),
    conditions: jsonb('conditions').$type<string[]>().notNull().default([]),
    sealed: text('sealed').notNull(),
    previous: text('previous'),
    previousUntil: at('previous_until'),
    expiresAt: at('expires_at').notNull(),
    failures: integer('failures').notNull().default(0),
    failedAt: at('failed_at'),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex('hooks_name').on(table.ownerId, table.name)],
)

/**
 * What webhooks were sent. A row is stored before anything happens and is the intent: what a crash cuts off is taken up
 * again from it. The two indexes make one of what is sent twice, by the sender's id and, where that id is not signed,
 * by the signed bytes.
 */
export const deliveries = pgTable(
  'deliveries',
  {
    id: text('id').primaryKey(),
    hookId: text('hook_id')
      .notNull()
      .references(() => hooks.id, { onDelete: 'cascade' }),
    key: text('key'),
    digest: text('digest'),
    event: text('event'),
    places: jsonb('places').$type<Places>().notNull().default({}),
    state: text('state').$type<DeliveryState>().notNull(),
    text: text('text').notNull().default(''),
    code: text('code'),
    operationId: text('operation_id'),
    address: text('address'),
    holder: text('holder'),
    leaseUntil: at('lease_until'),
    createdAt: createdAt(),
    endedAt: at('ended_at'),
  },
  (table) => [
    uniqueIndex('deliveries_key').on(table.hookId, table.key),
    uniqueIndex('deliveries_digest').on(table.hookId, table.digest),
    index('deliveries_hook').on(table.hookId, table.createdAt),
    index('deliveries_received')
      .on(table.leaseUntil)
      .where(sql`${table.state} = 'received'`),
  ],
)
