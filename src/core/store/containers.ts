import { and, asc, eq, getTableColumns, inArray, isNull, ne, type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { AddedPort, Container, Desired, Port, Share, State } from '../model/container.ts'
import type { Joined } from '../model/network.ts'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { containers as table, images, joins, networks, people, ports, shares } from './schema/index.ts'

export type ContainerRow = typeof table.$inferSelect

/** A port as it is stored: one that was added has a reach. */
type OpenPort = Port & { reach: AddedPort['reach'] | null; expiresAt: string | null }

// One query with all that belongs to a container folded in: `ps` costs one round trip, and only for what its caller sees.
const folded = sql<OpenPort[] | null>`(
  select json_agg(json_build_object('container', ${ports.containerPort}, 'proto', ${ports.proto}, 'host', ${ports.hostPort}, 'purpose', ${ports.purpose}, 'reach', ${ports.reach}, 'expiresAt', ${ports.expiresAt}) order by ${ports.purpose} desc, ${ports.containerPort}, ${ports.proto})
  from ${ports} where ${ports.containerId} = ${table.id})`

const joined = sql<Joined[] | null>`(
  select json_agg(json_build_object('id', ${networks.id}, 'name', ${networks.called}, 'engineName', ${networks.name}) order by ${networks.called})
  from ${joins} join ${networks} on ${networks.id} = ${joins.networkId} and ${networks.hostId} = ${joins.hostId} where ${joins.containerId} = ${table.id})`

// What a member who may not act shares is not shared.
const lent = sql<Share[] | null>`(
  select json_agg(json_build_object('guestId', ${shares.guestId}, 'level', ${shares.level}))
  from ${shares} where ${shares.containerId} = ${table.id} and ${shares.expiresAt} > now() and ${people.state} = 'active')`

/** The sealed key is read by `row` alone. */
const { hostKeySealed: _sealed, ...shown } = getTableColumns(table)

const whole = {
  row: shown,
  owner: people.name,
  offered: { ref: images.ref, engineId: images.engineId, useInstead: images.useInstead },
  ports: folded,
  joined,
  shares: lent,
}

function toContainer({
  row,
  owner,
  offered,
  ports: open,
  joined: on,
  shares: guests,
}: {
  row: Omit<ContainerRow, 'hostKeySealed'>
  owner: string
  offered: Container['offered']
  ports: OpenPort[] | null
  joined: Joined[] | null
  shares: Share[] | null
}): Container {
  const { memory, cpus, pids } = row
  const [made, added]: [Port[], AddedPort[]] = [[], []]
  for (const { container, proto, host, purpose, reach, expiresAt } of open ?? [])
    if (reach === null) made.push({ container, proto, host, purpose })
    else added.push({ container, proto, host, reach, expiresAt: expiresAt === null ? null : new Date(expiresAt) })
  return {
    id: row.id,
    ownerId: row.ownerId,
    owner,
    hostId: row.hostId,
    name: row.name,
    engineId: row.engineId,
    engineName: row.engineName,
    imageId: row.imageId,
    imageEngineId: row.imageEngineId,
    imageRef: row.imageRef,
    offered,
    state: row.state,
    desired: row.desired,
    limits: { memory, cpus, pids },
    spec: row.spec,
    ports: made,
    joined: on ?? [],
    added,
    ssh: row.ssh,
    fingerprint: row.fingerprint,
    hostKey: row.hostKey,
    exitCode: row.exitCode,
    commandExit: row.commandExit,
    trouble: row.trouble,
    shares: guests ?? [],
    note: row.note,
    expiresAt: row.expiresAt,
    keepUntil: row.keepUntil,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  }
}

/** Containers: who owns what, what is wanted, and what the engine was last seen to say. */
export const containers = (db: Db) => {
  // The one query that `ps` costs is built once per connection pool, not once per call.
  let prepared: ReturnType<typeof prepareVisible> | undefined
  const prepareVisible = () => {
    const person = sql.placeholder('person')
    const own = db.select({ id: table.id }).from(table).where(eq(table.ownerId, person))
    return select()
      .where(inArray(table.id, own.unionAll(sharedBy(person))))
      .orderBy(sql`${table.ownerId} <> ${person}`, asc(people.name), asc(table.name))
      .prepare('containers_visible')
  }
  const sharedBy = (guest: string | Placeholder) =>
    db
      .select({ id: shares.containerId })
      .from(shares)
      .where(and(eq(shares.guestId, guest), sql`${shares.expiresAt} > now()`))
  const select = <More extends Record<string, SQL<unknown>>>(more: More = {} as More) =>
    db
      .select({ ...whole, ...more })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .leftJoin(images, and(eq(images.id, table.imageId), isNull(images.ownerId)))
  return {
    async of(ownerId: string): Promise<Container[]> {
      return (await select().where(eq(table.ownerId, ownerId)).orderBy(asc(table.name))).map(toContainer)
    },
    /** A member's own, by name, then what others share with them. */
    async visible(personId: string): Promise<Container[]> {
      return (await (prepared ??= prepareVisible()).execute({ person: personId })).map(toContainer)
    },
    /** What others share with a member. */
    async sharedWith(guestId: string): Promise<Container[]> {
      const theirs = inArray(table.id, sharedBy(guestId))
      return (await select().where(theirs).orderBy(asc(people.name), asc(table.name))).map(toContainer)
    },
    /** One that is shared with a member, by its owner's name and its own. */
    async sharedAs(guestId: string, owner: string, name: string): Promise<Container | undefined> {
      const theirs = inArray(table.id, sharedBy(guestId))
      return (await select().where(and(eq(people.name, owner), eq(table.name, name), theirs))).map(toContainer)[0]
    },
    async all(): Promise<Container[]> {
      return (await select().orderBy(asc(people.name), asc(table.name))).map(toContainer)
    },
    async onHost(hostId: string): Promise<Container[]> {
      return (await select().where(eq(table.hostId, hostId)).orderBy(asc(table.id))).map(toContainer)
    },
    async byId(id: string): Promise<Container | undefined> {
      return (await select().where(eq(table.id, id))).map(toContainer)[0]
    },
    async byName(ownerId: string, name: string): Promise<Container | undefined> {
      return (await select().where(and(eq(table.ownerId, ownerId), eq(table.name, name)))).map(toContainer)[0]
    },
    async byEngineId(engineId: string): Promise<Container | undefined> {
      return (await select().where(eq(table.engineId, engineId))).map(toContainer)[0]
    },
    /** The row itself: with what never leaves the core, such as the sealed host key. */
    async row(id: string): Promise<ContainerRow | undefined> {
      return (await db.select().from(table).where(eq(table.id, id)))[0]
    },
    /** @throws on the unique index `containers_name` and on the checks of `usage` and `hosts` */
    async insert(row: typeof table.$inferInsert): Promise<void> {
      await db.insert(table).values(row)
    },
    async update(id: string, changes: Partial<typeof table.$inferInsert>): Promise<void> {
      await db.update(table).set(changes).where(eq(table.id, id))
    },
    /** The same, unless it is seen as `state`, or wanted as `desired`, by now. @returns whether it was changed */
    async updateUnless(
      is: { state: State } | { desired: Desired },
      id: string,
      changes: Partial<typeof table.$inferInsert>,
    ): Promise<boolean> {
      const other = 'state' in is ? ne(table.state, is.state) : ne(table.desired, is.desired)
      const changed = await db
        .update(table)
        .set(changes)
        .where(and(eq(table.id, id), other))
        .returning({ id: table.id })
      return changed.length > 0
    },
    /** Puts its end `ms` later than it is, or than now where it has none or is past; null: it has none any more. */
    async extend(id: string, ms: number | null): Promise<Date | null> {
      const later =
        ms === null
          ? null
          : sql`greatest(coalesce(${table.expiresAt}, now()), now()) + make_interval(secs => ${ms / 1000})`
      const [row] = await db
        .update(table)
        .set({ expiresAt: later as Date | null })
        .where(eq(table.id, id))
        .returning({ expiresAt: table.expiresAt })
      return row?.expiresAt ?? null
    },
    /** Those whose end is past, or less than `ahead` milliseconds away. */
    async expiring(hostId: string, ahead: number): Promise<(Container & { past: boolean })[]> {
      const soon = sql`${table.expiresAt} <= now() + make_interval(secs => ${ahead / 1000})`
      const rows = await select({ past: sql<boolean>`${table.expiresAt} <= now()` })
        .where(and(eq(table.hostId, hostId), soon))
        .orderBy(asc(table.expiresAt))
        .limit(100)
      return rows.map((row) => ({ ...toContainer(row), past: row.past }))
    },
    async expired(id: string): Promise<boolean> {
      return (
        (
          await db
            .select({ id: table.id })
            .from(table)
            .where(and(eq(table.id, id), sql`${table.expiresAt} <= now()`))
        ).length > 0
      )
    },
    /** Not stopped for being idle for `ms` milliseconds from now; null: as any other. */
    async keep(id: string, ms: number | null): Promise<Date | null> {
      const until = ms === null ? null : after(ms)
      const [row] = await db
        .update(table)
        .set({ keepUntil: until as Date | null })
        .where(eq(table.id, id))
        .returning({ keepUntil: table.keepUntil })
      return row?.keepUntil ?? null
    },
    async busy(ids: readonly string[]): Promise<void> {
      if (ids.length > 0)
        await db
          .update(table)
          .set({ busyAt: sql`now()` as unknown as Date })
          .where(inArray(table.id, [...ids]))
    },
    async warned(id: string): Promise<void> {
      await db
        .update(table)
        .set({ warnedAt: sql`now()` as unknown as Date })
        .where(eq(table.id, id))
    },
    /**
     * Those that run and were neither started nor busy nor kept within `ms` milliseconds: since when, and for how long
     * its owner has known (null: not yet).
     */
    async quiet(
      hostId: string,
      ms: number,
    ): Promise<(Container & { since: Date; silent: number; warned: number | null })[]> {
      const since = sql<string>`greatest(${table.startedAt}, ${table.busyAt}, ${table.keepUntil}, ${table.createdAt})`
      const rows = await select({
        since: sql<string>`(extract(epoch from ${since}) * 1000)::text`,
        silent: sql<string>`(extract(epoch from now() - ${since}) * 1000)::text`,
        warned: sql<
          string | null
        >`case when ${table.warnedAt} > ${since} then (extract(epoch from now() - ${table.warnedAt}) * 1000)::text end`,
      }).where(
        and(
          eq(table.hostId, hostId),
          eq(table.state, 'running'),
          eq(table.desired, 'running'),
          sql`${since} <= now() - make_interval(secs => ${ms / 1000})`,
        ),
      )
      return rows.map((row) => ({
        ...toContainer(row),
        since: new Date(Number(row.since)),
        silent: Number(row.silent),
        warned: row.warned === null ? null : Number(row.warned),
      }))
    },
    /** Names of those made from an image. */
    async usingImage(imageId: string): Promise<string[]> {
      return (
        await db.select({ name: table.name }).from(table).where(eq(table.imageId, imageId)).orderBy(asc(table.name))
      ).map((row) => row.name)
    },
    /** Bytes in the writable layers, per container. */
    async setLayers(sizes: Map<string, number>): Promise<void> {
      const ids = [...sizes.keys()]
      if (ids.length === 0) return
      const cases = sql.join(
        ids.map((id) => sql`when ${id} then ${sizes.get(id)!}::bigint`),
        sql` `,
      )
      await db
        .update(table)
        .set({ layerBytes: sql`case ${table.engineId} ${cases} else ${table.layerBytes} end` })
        .where(inArray(table.engineId, ids))
    },
    /** The same, one by one, by id. */
    async layers(ownerId: string): Promise<Map<string, number>> {
      const rows = await db
        .select({ id: table.id, size: table.layerBytes })
        .from(table)
        .where(eq(table.ownerId, ownerId))
      return new Map(rows.map((row) => [row.id, row.size]))
    },
    async layerBytes(ownerId: string): Promise<number> {
      const [row] = await db
        .select({ sum: sql<string>`coalesce(sum(${table.layerBytes}), 0)` })
        .from(table)
        .where(eq(table.ownerId, ownerId))
      return Number(row?.sum ?? 0)
    },
    async remove(id: string): Promise<void> {
      await db.delete(table).where(eq(table.id, id))
    },
  }
}
