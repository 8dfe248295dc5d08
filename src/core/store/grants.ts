import { and, asc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { Db } from './db.ts'
import { grants as table } from './schema.ts'

export type GrantRecord = typeof table.$inferSelect

const inForce = or(isNull(table.expiresAt), gt(table.expiresAt, sql`now()`))

/** What admins permitted. Expiry is a condition of every read, so nothing has to run for it to hold. */
export const grants = (db: Db) => ({
  async of(ownerId: string): Promise<GrantRecord[]> {
    return db.select().from(table).where(and(eq(table.ownerId, ownerId), inForce)).orderBy(asc(table.thing))
  },
  /** The same, locked against revocation until the transaction ends. */
  async lock(ownerId: string): Promise<GrantRecord[]> {
    return db.select().from(table).where(and(eq(table.ownerId, ownerId), inForce)).for('share')
  },
  /** Gives or renews. */
  async put(grant: typeof table.$inferInsert): Promise<GrantRecord> {
    const { expiresAt = null, grantedBy } = grant
    return (
      await db
        .insert(table)
        .values(grant)
        .onConflictDoUpdate({ target: [table.ownerId, table.thing], set: { expiresAt, grantedBy, createdAt: sql`now()` } })
        .returning()
    )[0]!
  },
  async remove(ownerId: string, thing: string): Promise<GrantRecord | undefined> {
    return (await db.delete(table).where(and(eq(table.ownerId, ownerId), eq(table.thing, thing))).returning())[0]
  },
  async removeAll(ownerId: string): Promise<void> {
    await db.delete(table).where(eq(table.ownerId, ownerId))
  },
})
