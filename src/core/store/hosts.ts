import { asc, eq, sql } from 'drizzle-orm'
import type { Db } from './db.ts'
import type { NetworkRow } from './networks.ts'
import { hosts as table, networks } from './schema/index.ts'

export type HostRow = typeof table.$inferSelect

/** Hosts with their capacity, and the members' networks on them. */
export const hosts = (db: Db) => ({
  async list(): Promise<HostRow[]> {
    return db.select().from(table).orderBy(asc(table.id))
  },
  async byId(id: string): Promise<HostRow | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)))[0]
  },
  /** The row, locked until the transaction ends: admissions on one host happen one after the other. */
  async lock(id: string): Promise<HostRow | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)).for('update'))[0]
  },
  async ensure(id: string): Promise<void> {
    await db.insert(table).values({ id }).onConflictDoNothing()
  },
  async update(id: string, changes: Partial<typeof table.$inferInsert>): Promise<void> {
    await db.update(table).set(changes).where(eq(table.id, id))
  },
  /** Says that what the database knows of this host's containers is what its engine said just now. */
  async seen(id: string): Promise<void> {
    await db
      .update(table)
      .set({ reachable: true, seenAt: sql`now()` })
      .where(eq(table.id, id))
  },
  async unreachable(id: string): Promise<void> {
    await db.update(table).set({ reachable: false }).where(eq(table.id, id))
  },
  /** Hosts whose states may be old: unreachable, or unseen for longer than `ms`. */
  async stale(ms: number): Promise<{ id: string; seenAt: Date | null }[]> {
    return db
      .select({ id: table.id, seenAt: table.seenAt })
      .from(table)
      .where(
        sql`not ${table.reachable} or ${table.seenAt} is null or ${table.seenAt} < now() - make_interval(secs => ${ms / 1000})`,
      )
  },
  /** Members' networks on a host, of every kind. */
  async networks(hostId: string): Promise<NetworkRow[]> {
    return db.select().from(networks).where(eq(networks.hostId, hostId))
  },
})
