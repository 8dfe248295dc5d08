import { and, asc, eq, isNull, ne } from 'drizzle-orm'
import type { Network } from '../model/network.ts'
import type { Db } from './db.ts'
import { joins, networks as table } from './schema/index.ts'

export type NetworkRow = typeof table.$inferSelect

const toNetwork = ({ id, ownerId, hostId, called, project, createdAt }: NetworkRow): Network => ({
  ...{ id, ownerId, hostId, project, createdAt },
  name: called,
})

/** Networks that members made, and which containers have joined them. The main ones are the hosts'. */
export const networks = (db: Db) => ({
  /** A member's own; one that is leaving is not among them. */
  async of(ownerId: string): Promise<Network[]> {
    const own = and(eq(table.ownerId, ownerId), ne(table.called, ''), eq(table.leaving, false))
    return (await db.select().from(table).where(own).orderBy(asc(table.called))).map(toNetwork)
  },
  /** Of any kind, also one that is leaving. */
  async byId(id: string, hostId: string): Promise<NetworkRow | undefined> {
    return (
      await db
        .select()
        .from(table)
        .where(and(eq(table.id, id), eq(table.hostId, hostId)))
    )[0]
  },
  /** All that a member has on a host, the main one too. */
  async allOf(ownerId: string, hostId: string): Promise<NetworkRow[]> {
    return db
      .select()
      .from(table)
      .where(and(eq(table.ownerId, ownerId), eq(table.hostId, hostId)))
  },
  /** @throws on the unique index `networks_called` */
  async insert(row: typeof table.$inferInsert): Promise<void> {
    await db.insert(table).values(row)
  },
  /**
   * Only while it is `from`: whoever settled it meanwhile goes by what they have written.
   * @throws on the unique index `networks_subnet`
   */
  async changeSubnet(id: string, hostId: string, from: string | null, to: string | null): Promise<void> {
    const is = from === null ? isNull(table.subnet) : eq(table.subnet, from)
    await db
      .update(table)
      .set({ subnet: to })
      .where(and(eq(table.id, id), eq(table.hostId, hostId), is))
  },
  async leave(id: string): Promise<void> {
    await db.update(table).set({ leaving: true }).where(eq(table.id, id))
  },
  async remove(id: string, hostId: string): Promise<void> {
    await db.delete(table).where(and(eq(table.id, id), eq(table.hostId, hostId)))
  },
  async join(networkId: string, hostId: string, containerId: string): Promise<void> {
    await db.insert(joins).values({ networkId, hostId, containerId }).onConflictDoNothing()
  },
  async part(networkId: string, containerId: string): Promise<void> {
    await db.delete(joins).where(and(eq(joins.networkId, networkId), eq(joins.containerId, containerId)))
  },
})
