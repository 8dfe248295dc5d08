import type { ScheduleVerb } from '../../model/schedule.ts'
import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { Desired, Proto, Reach, ShareLevel, Spec, State } from '../../model/container.ts'
import { at, big, createdAt } from './columns.ts'
import { owner, people } from './people.ts'
import { hostId, networks } from './hosts.ts'

export const images = pgTable(
  'images',
  {
    id: text('id').primaryKey(),
    /** Null: offered by the admins. */
    ownerId: owner(),
    hostId: hostId(),
    ref: text('ref').notNull(),
    engineId: text('engine_id').notNull(),
    engineRef: text('engine_ref').notNull(),
    size: big('size').notNull(),
    layers: integer('layers').notNull(),
    ssh: boolean('ssh').notNull(),
    restricted: boolean('restricted').notNull().default(false),
    about: text('about').notNull().default(''),
    source: text('source'),
    /** What its members should use from now on, where admins have deprecated it. */
    useInstead: text('use_instead'),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex('images_ref').on(sql`coalesce(${table.ownerId}, '')`, table.hostId, table.ref),
    uniqueIndex('images_engine_ref').on(table.engineRef),
  ],
)

export const containers = pgTable(
  'containers',
  {
    id: text('id').primaryKey(),
    ownerId: owner().notNull(),
    hostId: hostId(),
    name: text('name').notNull(),
    engineId: text('engine_id'),
    engineName: text('engine_name').notNull(),
    imageId: text('image_id').references(() => images.id, { onDelete: 'set null' }),
    imageEngineId: text('image_engine_id').notNull(),
    imageRef: text('image_ref').notNull(),
    state: text('state').$type<State>().notNull().default('creating'),
    desired: text('desired').$type<Desired>().notNull().default('running'),
    memory: big('memory').notNull(),
    cpus: integer('cpus').notNull(),
    pids: integer('pids').notNull(),
    spec: jsonb('spec').$type<Spec>().notNull(),
    ssh: boolean('ssh').notNull(),
    fingerprint: text('fingerprint').notNull(),
    hostKey: text('host_key').notNull(),
    /** The private host key, sealed for this row, so that the run folder can always be made again. */
    hostKeySealed: text('host_key_sealed').notNull(),
    exitCode: integer('exit_code'),
    commandExit: integer('command_exit'),
    trouble: text('trouble'),
    /** What its owner wrote about it. */
    note: text('note').notNull().default(''),
    /** Tries to bring it back since it last ran well, and when the next may be. */
    revivals: integer('revivals').notNull().default(0),
    reviveAt: at('revive_at'),
    layerBytes: big('layer_bytes').notNull().default(0),
    /** When it is removed; null: never. */
    expiresAt: at('expires_at'),
    /** Until when it is not stopped for being idle, when it was last seen busy, and when its owner was told that it is not. */
    keepUntil: at('keep_until'),
    busyAt: at('busy_at'),
    warnedAt: at('warned_at'),
    createdAt: createdAt(),
    startedAt: at('started_at'),
    finishedAt: at('finished_at'),
  },
  (table) => [
    uniqueIndex('containers_name').on(table.ownerId, table.name),
    uniqueIndex('containers_engine_id').on(table.engineId),
    uniqueIndex('containers_engine_name').on(table.engineName),
  ],
)

/** Who else may do something with a container, and until when. Expiry is a condition of every read. */
export const shares = pgTable(
  'shares',
  {
    containerId: text('container_id')
      .notNull()
      .references(() => containers.id, { onDelete: 'cascade' }),
    guestId: text('guest_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    level: text('level').$type<ShareLevel>().notNull(),
    expiresAt: at('expires_at').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.containerId, table.guestId] }), index('shares_guest').on(table.guestId)],
)

/** Values that a container finds as files; sealed for this row, and never shown again. */
export const secrets = pgTable(
  'secrets',
  {
    containerId: text('container_id')
      .notNull()
      .references(() => containers.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    sealed: text('sealed').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.containerId, table.name] })],
)

/** What is done to a container at times that its owner chose. Who fires one moves `nextAt` on in the same transaction. */
export const schedules = pgTable(
  'schedules',
  {
    id: text('id').primaryKey(),
    ownerId: owner().notNull(),
    containerId: text('container_id')
      .notNull()
      .references(() => containers.id, { onDelete: 'cascade' }),
    verb: text('verb').$type<ScheduleVerb>().notNull(),
    /** The program that is run, where that is what is done. */
    argv: jsonb('argv').$type<string[]>(),
    cron: text('cron').notNull(),
    zone: text('zone').notNull(),
    nextAt: at('next_at').notNull(),
    lastAt: at('last_at'),
    /** How the last time went, in one sentence; null: it was begun. */
    trouble: text('trouble'),
    /** The run whose end its owner has not been told of. */
    operationId: text('operation_id'),
    createdAt: createdAt(),
  },
  (table) => [index('schedules_next').on(table.nextAt), index('schedules_owner').on(table.ownerId)],
)

/** Every host port that is a container's or was found held by something else. */
export const ports = pgTable(
  'ports',
  {
    hostId: hostId(),
    proto: text('proto').$type<Proto>().notNull(),
    hostPort: integer('host_port').notNull(),
    containerId: text('container_id').references(() => containers.id, { onDelete: 'cascade' }),
    ownerId: owner(),
    containerPort: integer('container_port'),
    purpose: text('purpose').$type<'ssh' | 'public' | 'held'>().notNull(),
    heldUntil: at('held_until'),
    /** From where it can be reached, when it was added to a container that was there; null: it was made with it. */
    reach: text('reach').$type<Reach>(),
    /** When it is closed by itself; null: never. */
    expiresAt: at('expires_at'),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.hostId, table.proto, table.hostPort] }),
    index('ports_container').on(table.containerId),
    uniqueIndex('ports_added')
      .on(table.containerId, table.containerPort, table.proto)
      .where(sql`${table.reach} is not null`),
    check('ports_range', sql`${table.hostPort} between 1 and 65535`),
  ],
)

/** Networks that containers have joined beside the one that they were made on. */
export const joins = pgTable(
  'joins',
  {
    networkId: text('network_id').notNull(),
    hostId: hostId(),
    containerId: text('container_id')
      .notNull()
      .references(() => containers.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.networkId, table.hostId, table.containerId] }),
    foreignKey({ columns: [table.networkId, table.hostId], foreignColumns: [networks.id, networks.hostId] }).onDelete(
      'cascade',
    ),
    index('joins_container').on(table.containerId),
  ],
)
