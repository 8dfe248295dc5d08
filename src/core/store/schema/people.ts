import { sql } from 'drizzle-orm'
import { bigserial, check, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Decision } from '../../model/audit.ts'
import type { PersonState, Role } from '../../model/person.ts'
import type { Quota } from '../../model/quota.ts'
import { at, big, createdAt } from './columns.ts'

export const people = pgTable(
  'people',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    role: text('role').$type<Role>().notNull().default('member'),
    state: text('state').$type<PersonState>().notNull().default('active'),
    quota: jsonb('quota').$type<Partial<Quota>>().notNull().default({}),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex('people_name').on(table.name)],
)

/** Whose a row is; such a person stays until it is gone. */
export const owner = () => text('owner_id').references(() => people.id, { onDelete: 'restrict' })

/**
 * What a member uses and may use. Triggers keep the counts (see the `usage` migration), each admission sets the caps
 * under this row's lock, and the checks make it impossible to pass one, whatever the code does.
 */
export const usage = pgTable(
  'usage',
  {
    ownerId: text('owner_id')
      .primaryKey()
      .references(() => people.id, { onDelete: 'cascade' }),
    containers: integer('containers').notNull().default(0),
    running: integer('running').notNull().default(0),
    memory: big('memory').notNull().default(0),
    cpus: integer('cpus').notNull().default(0),
    pids: integer('pids').notNull().default(0),
    images: integer('images').notNull().default(0),
    ports: integer('ports').notNull().default(0),
    containersCap: integer('containers_cap').notNull().default(0),
    runningCap: integer('running_cap').notNull().default(0),
    memoryCap: big('memory_cap').notNull().default(0),
    cpusCap: integer('cpus_cap').notNull().default(0),
    pidsCap: integer('pids_cap').notNull().default(0),
    imagesCap: integer('images_cap').notNull().default(0),
    portsCap: integer('ports_cap').notNull().default(0),
    /** Bytes in storage, written layers and own images, as last measured. */
    disk: big('disk').notNull().default(0),
    diskAt: at('disk_at'),
  },
  (table) => [
    check('usage_containers', sql`${table.containers} between 0 and ${table.containersCap}`),
    check('usage_running', sql`${table.running} between 0 and ${table.runningCap}`),
    check('usage_memory', sql`${table.memory} between 0 and ${table.memoryCap}`),
    check('usage_cpus', sql`${table.cpus} between 0 and ${table.cpusCap}`),
    check('usage_pids', sql`${table.pids} between 0 and ${table.pidsCap}`),
    check('usage_images', sql`${table.images} between 0 and ${table.imagesCap}`),
    check('usage_ports', sql`${table.ports} between 0 and ${table.portsCap}`),
  ],
)

export const keys = pgTable(
  'keys',
  {
    id: text('id').primaryKey(),
    ownerId: owner().notNull(),
    type: text('type').notNull(),
    blob: text('blob').notNull(),
    fingerprint: text('fingerprint').notNull(),
    comment: text('comment').notNull().default(''),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex('keys_fingerprint').on(table.fingerprint), index('keys_owner').on(table.ownerId)],
)

export const tokens = pgTable(
  'tokens',
  {
    id: text('id').primaryKey(),
    ownerId: owner().notNull(),
    hash: text('hash').notNull(),
    label: text('label').notNull(),
    commands: jsonb('commands').$type<string[] | null>(),
    containers: jsonb('containers').$type<string[] | null>(),
    expiresAt: at('expires_at').notNull(),
    lastUsedAt: at('last_used_at'),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex('tokens_hash').on(table.hash), uniqueIndex('tokens_label').on(table.ownerId, table.label)],
)

export const grants = pgTable(
  'grants',
  {
    ownerId: owner().notNull(),
    thing: text('thing').notNull(),
    expiresAt: at('expires_at'),
    grantedBy: text('granted_by').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.thing] })],
)

export const audit = pgTable(
  'audit',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: at('at').notNull().defaultNow(),
    actorId: text('actor_id'),
    actor: text('actor'),
    as: text('as_name'),
    surface: text('surface').notNull(),
    address: text('address'),
    fingerprint: text('fingerprint'),
    command: text('command').notNull(),
    target: text('target'),
    decision: text('decision').$type<Decision>().notNull(),
    code: text('code'),
    operationId: text('operation_id'),
    requestId: text('request_id').notNull(),
    detail: text('detail'),
  },
  (table) => [
    index('audit_at').on(table.at),
    index('audit_actor').on(table.actor, table.at),
    index('audit_as').on(table.as, table.at),
  ],
)

/** Single-use codes: `id` is the part that finds one, `hash` proves the rest. */
export const codes = pgTable(
  'codes',
  {
    id: text('id').primaryKey(),
    kind: text('kind').$type<'invite' | 'link'>().notNull(),
    /** What it is for; a new code for the same voids this one. */
    subject: text('subject').notNull(),
    ownerId: text('owner_id').references(() => people.id, { onDelete: 'cascade' }),
    hash: text('hash').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
    tries: integer('tries').notNull().default(0),
    createdAt: createdAt(),
    expiresAt: at('expires_at').notNull(),
    usedAt: at('used_at'),
  },
  (table) => [index('codes_subject').on(table.kind, table.subject)],
)

/** How many wrong codes somebody has tried lately. */
export const guesses = pgTable('guesses', {
  who: text('who').primaryKey(),
  count: integer('count').notNull(),
  until: at('until').notNull(),
})

/** Who is connected over SSH; a row lives as long as its process renews it. `ending`: somebody wants it closed, and why. */
export const sessions = pgTable(
  'sessions',
  {
    id: text('id').primaryKey(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    holder: text('holder').notNull(),
    address: text('address').notNull(),
    fingerprint: text('fingerprint').notNull(),
    doing: text('doing').notNull(),
    /** Containers that something is open into. */
    inside: jsonb('inside').$type<string[]>().notNull().default([]),
    ending: text('ending'),
    startedAt: at('started_at').notNull().defaultNow(),
    leaseUntil: at('lease_until').notNull(),
  },
  (table) => [index('sessions_owner').on(table.ownerId)],
)
