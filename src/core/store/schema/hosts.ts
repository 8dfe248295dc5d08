import { sql } from 'drizzle-orm'
import { boolean, check, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, big, createdAt } from './columns.ts'
import { owner } from './people.ts'

/** Facts of this installation: instance id, site quota, reserve, measured guarantees. */
export const site = pgTable('site', { key: text('key').primaryKey(), value: jsonb('value').notNull() })

export const devices = pgTable('devices', {
  name: text('name').primaryKey(),
  path: text('path').notNull(),
  about: text('about').notNull().default(''),
})

export const seccomps = pgTable('seccomps', {
  name: text('name').primaryKey(),
  json: text('json').notNull(),
  about: text('about').notNull().default(''),
})

/** One machine with an engine. `memoryUsed` and `cpusUsed` are kept by triggers, like `usage`. */
export const hosts = pgTable(
  'hosts',
  {
    id: text('id').primaryKey(),
    memory: big('memory').notNull().default(0),
    reserve: big('reserve').notNull().default(0),
    cpus: integer('cpus').notNull().default(0),
    memoryUsed: big('memory_used').notNull().default(0),
    cpusUsed: integer('cpus_used').notNull().default(0),
    memoryCap: big('memory_cap').notNull().default(0),
    /** When the follower last knew that what the database says of states is what the engine says. */
    seenAt: at('seen_at'),
    reachable: boolean('reachable').notNull().default(false),
    createdAt: createdAt(),
  },
  (table) => [check('hosts_memory', sql`${table.memoryUsed} between 0 and ${table.memoryCap}`)],
)

/** The machine that something is on. */
export const hostId = () =>
  text('host_id')
    .notNull()
    .references(() => hosts.id)

/** Members' networks: the main one of each, whose id is its owner's, and those that they made. */
export const networks = pgTable(
  'networks',
  {
    id: text('id').notNull(),
    ownerId: owner().notNull(),
    hostId: hostId(),
    name: text('name').notNull(),
    bridge: text('bridge').notNull(),
    /** Null until one is settled on. */
    subnet: text('subnet'),
    /** What its owner calls it; empty: it is their main one. */
    called: text('called').notNull().default(''),
    /** The composition that it is part of. */
    project: text('project'),
    /** It is being removed, so nothing can join it any more. */
    leaving: boolean('leaving').notNull().default(false),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.id, table.hostId] }),
    uniqueIndex('networks_called').on(table.ownerId, table.hostId, table.called),
    uniqueIndex('networks_subnet').on(table.hostId, table.subnet),
    uniqueIndex('networks_bridge').on(table.hostId, table.bridge),
  ],
)
