import { and, asc, eq } from 'drizzle-orm'
import type { Person } from '../model/person.ts'
import type { Db } from './db.ts'
import { keys as table, people } from './schema/index.ts'

export type KeyRow = typeof table.$inferSelect

/** Members' public keys; a fingerprint belongs to one member. */
export const keys = (db: Db) => ({
  async of(ownerId: string): Promise<KeyRow[]> {
    return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(asc(table.createdAt), asc(table.id))
  },
  async byFingerprint(fingerprint: string): Promise<KeyRow | undefined> {
    return (await db.select().from(table).where(eq(table.fingerprint, fingerprint)))[0]
  },
  /** The member whose key it is: one statement, whether there is one or not. */
  async owner(fingerprint: string): Promise<Person | undefined> {
    const rows = await db
      .select({ person: people })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .where(eq(table.fingerprint, fingerprint))
    return rows[0]?.person
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
