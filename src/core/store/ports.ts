import { and, eq, isNotNull, isNull, lte, sql } from 'drizzle-orm'
import type { Proto, Reach, Spec } from '../model/container.ts'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { containers, people, ports as table } from './schema/index.ts'

/** A port that was added, with whose it is and the container that it leads to. */
export type Added = {
  proto: Proto
  host: number
  container: number
  reach: Reach
  expiresAt: Date | null
  createdAt: Date
  ownerId: string
  owner: string
  containerId: string
  name: string
  engineName: string
  spec: Spec
  past: boolean
}

const at = (hostId: string, proto: Proto, hostPort: number) =>
  and(eq(table.hostId, hostId), eq(table.proto, proto), eq(table.hostPort, hostPort))

/** The host's ports. The primary key makes it impossible to give one out twice. */
export const ports = (db: Db) => ({
  /** Numbers that are taken or held on a host; a hold that has run out is dropped first. */
  async taken(hostId: string, proto: Proto): Promise<Set<number>> {
    await db
      .delete(table)
      .where(and(eq(table.hostId, hostId), isNull(table.containerId), lte(table.heldUntil, sql`now()`)))
    const rows = await db
      .select({ port: table.hostPort })
      .from(table)
      .where(and(eq(table.hostId, hostId), eq(table.proto, proto)))
    return new Set(rows.map((row) => row.port))
  },
  /** @throws on the primary key when the port is someone's, and on `usage_ports` */
  async insert(row: typeof table.$inferInsert): Promise<void> {
    await db.insert(table).values(row)
  },
  /** Marks a port as held by something that is not DCM's, for a while. */
  async hold(hostId: string, proto: Proto, hostPort: number, ms: number): Promise<void> {
    const heldUntil = after(ms)
    await db
      .insert(table)
      .values({ hostId, proto, hostPort, purpose: 'held', heldUntil })
      .onConflictDoUpdate({
        target: [table.hostId, table.proto, table.hostPort],
        set: { purpose: 'held', heldUntil, containerId: null, ownerId: null, containerPort: null },
      })
  },
  async release(hostId: string, proto: Proto, hostPort: number): Promise<void> {
    await db.delete(table).where(at(hostId, proto, hostPort))
  },
  /** Makes a port one that was added, which ends then, or in so many milliseconds. @throws on the unique index `ports_added` */
  async share(
    hostId: string,
    proto: Proto,
    hostPort: number,
    reach: Reach,
    end: Date | number | undefined,
  ): Promise<void> {
    const expiresAt = typeof end === 'number' ? after(end) : (end ?? null)
    await db
      .update(table)
      .set({ reach, expiresAt: expiresAt as Date | null })
      .where(at(hostId, proto, hostPort))
  },
  /** Gives an added port another number. */
  async move(hostId: string, proto: Proto, from: number, to: number): Promise<void> {
    await db
      .update(table)
      .set({ hostPort: to })
      .where(at(hostId, proto, from))
  },
  /** Every port of a host that was added, with the container it leads to. `past`: its end has come. */
  async added(hostId: string): Promise<Added[]> {
    const rows = await db
      .select({
        ...{ proto: table.proto, host: table.hostPort, container: table.containerPort, reach: table.reach },
        ...{ expiresAt: table.expiresAt, createdAt: table.createdAt, ownerId: containers.ownerId, owner: people.name },
        ...{ containerId: containers.id, name: containers.name, engineName: containers.engineName },
        spec: containers.spec,
        past: sql<boolean>`coalesce(${table.expiresAt} <= now(), false)`,
      })
      .from(table)
      .innerJoin(containers, eq(containers.id, table.containerId))
      .innerJoin(people, eq(people.id, containers.ownerId))
      .where(and(eq(table.hostId, hostId), isNotNull(table.reach)))
    return rows.map((row) => ({ ...row, container: row.container!, reach: row.reach! }))
  },
  /** Removes a port that was added, if its end has come. @returns whether it has */
  async expire(hostId: string, proto: Proto, hostPort: number): Promise<boolean> {
    const due = and(at(hostId, proto, hostPort), isNotNull(table.reach), lte(table.expiresAt, sql`now()`))
    return (await db.delete(table).where(due).returning({ port: table.hostPort })).length > 0
  },
})
