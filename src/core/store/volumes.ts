import { and, asc, eq } from 'drizzle-orm'
import type { Volume } from '../model/volume.ts'
import type { Db } from './db.ts'
import { volumes as table } from './schema/index.ts'

const columns = {
  ...{ id: table.id, ownerId: table.ownerId, hostId: table.hostId },
  ...{ name: table.name, createdAt: table.createdAt },
}

/** Members' own volumes. One that is leaving is in no list, and its name is free when it is gone. */
export const volumes = (db: Db) => ({
  async of(ownerId: string): Promise<Volume[]> {
    return db
      .select(columns)
      .from(table)
      .where(and(eq(table.ownerId, ownerId), eq(table.leaving, false)))
      .orderBy(asc(table.name))
  },
  /** Also one that is leaving. */
  async byId(id: string): Promise<(Volume & { leaving: boolean }) | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)))[0]
  },
  /** @throws on the unique index `volumes_name` */
  async insert(row: typeof table.$inferInsert): Promise<void> {
    await db.insert(table).values(row)
  },
  async leave(id: string): Promise<void> {
    await db.update(table).set({ leaving: true }).where(eq(table.id, id))
  },
  async remove(id: string): Promise<void> {
    await db.delete(table).where(eq(table.id, id))
  },
  async removeAll(ownerId: string): Promise<void> {
    await db.delete(table).where(eq(table.ownerId, ownerId))
  },
})
