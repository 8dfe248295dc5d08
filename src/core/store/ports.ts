import { and, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Proto } from '../model/container.ts'
import type { Db } from './db.ts'
import { ports as table } from './schema/index.ts'

/** The host's ports. The primary key makes it impossible to give one out twice. */
export const ports = (db: Db) => ({
  /** Numbers that are taken or held on a host; a hold that has run out is dropped first. */
  async taken(hostId: string, proto: Proto): Promise<Set<number>> {
    await db
      .delete(table)
      .where(and(eq(table.hostId, hostId), isNull(table.containerId), lt(table.heldUntil, sql`now()`)))
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
    const heldUntil = sql`now() + make_interval(secs => ${ms / 1000})`
    await db
      .insert(table)
      .values({ hostId, proto, hostPort, purpose: 'held', heldUntil })
      .onConflictDoUpdate({
        target: [table.hostId, table.proto, table.hostPort],
        set: { purpose: 'held', heldUntil, containerId: null, ownerId: null, containerPort: null },
      })
  },
  async release(hostId: string, proto: Proto, hostPort: number): Promise<void> {
    await db.delete(table).where(and(eq(table.hostId, hostId), eq(table.proto, proto), eq(table.hostPort, hostPort)))
  },
})
