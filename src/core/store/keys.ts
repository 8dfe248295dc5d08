import { and, asc, eq } from 'drizzle-orm'
import type { Db } from './db.ts'
import { keys as table } from './schema.ts'

export type KeyRow = typeof table.$inferSelect

/** Members' public keys; a fingerprint belongs to one member. */
export const keys = (db: Db) => ({
  async of(ownerId: string): Promise<KeyRow[]> {
    return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(asc(table.createdAt), asc(table.id))
  },
  async byFingerprint(fingerprint: string): Promise<KeyRow | undefined> {
    return (await db.select().from(table).where(eq(table.fingerprint, fingerprint)))[0]
  },
  /** @throws on the unique index `keys_fingerprint` */
  async insert(key: typeof table.$inferInsert): Promise<KeyRow> {
    return (await db.insert(table).values(key).returning())[0]!
  },
  async remove(ownerId: string, id: string): Promise<void> {
    await db.delete(table).where(and(eq(table.ownerId, ownerId), eq(table.id, id)))
  },
  async removeAll(ownerId: string): Promise<void> {
    await db.delete(table).where(eq(table.ownerId, ownerId))
  },
})
