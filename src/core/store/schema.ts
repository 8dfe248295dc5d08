import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { Desired, Proto, ShareLevel, Spec, State } from '../model/container.ts'
import type { DeliveryState, Places, Scheme } from '../model/hook.ts'
import type { Quota } from '../model/quota.ts'
import type { PersonState, Role } from '../model/person.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const createdAt = () => at('created_at').notNull().defaultNow()
const big = (name: string) => bigint(name, { mode: 'number' })

/** Facts of this installation: instance id, site quota, reserve, measured guarantees. */
export const site = pgTable('site', { key: text('key').primaryKey(), value: jsonb('value').notNull() })

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

const owner = () => text('owner_id').references(() => people.id, { onDelete: 'restrict' })

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

const hostId = () =>
  text('host_id')
    .notNull()
    .references(() => hosts.id)

export const networks = pgTable(
  'networks',
  {
    ownerId: owner().notNull(),
    hostId: hostId(),
    name: text('name').notNull(),
    bridge: text('bridge').notNull(),
    subnet: text('subnet').notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.hostId] }),
    uniqueIndex('networks_subnet').on(table.hostId, table.subnet),
    uniqueIndex('networks_bridge').on(table.hostId, table.bridge),
  ],
)

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
    verb: text('verb').$type<'start' | 'stop'>().notNull(),
    cron: text('cron').notNull(),
    zone: text('zone').notNull(),
    nextAt: at('next_at').notNull(),
    lastAt: at('last_at'),
    /** How the last time went, in one sentence; null: it was begun. */
    trouble: text('trouble'),
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
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.hostId, table.proto, table.hostPort] }),
    index('ports_container').on(table.containerId),
    check('ports_range', sql`${table.hostPort} between 1 and 65535`),
  ],
)

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
    decision: text('decision').$type<'done' | 'refused' | 'failed' | 'begun'>().notNull(),
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
    ending: text('ending'),
    startedAt: at('started_at').notNull().defaultNow(),
    leaseUntil: at('lease_until').notNull(),
  },
  (table) => [index('sessions_owner').on(table.ownerId)],
)

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
