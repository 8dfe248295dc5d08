import { and, asc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { Db } from './db.ts'
import { grants as table } from './schema/index.ts'

export type GrantRecord = typeof table.$inferSelect

const inForce = or(isNull(table.expiresAt), gt(table.expiresAt, sql`now()`))

/** What admins permitted. Expiry is a condition of every read, so nothing has to run for it to hold. */
export const grants = (db: Db) => ({
  async of(ownerId: string): Promise<GrantRecord[]> {
    return db
      .select()
      .from(table)
      .where(and(eq(table.ownerId, ownerId), inForce))
      .orderBy(asc(table.thing))
  },
  /** The same, locked against revocation until the transaction ends. */
  async lock(ownerId: string): Promise<GrantRecord[]> {
    return db
      .select()
      .from(table)
      .where(and(eq(table.ownerId, ownerId), inForce))
      .for('share')
  },
  /** Gives or renews, for `lives` milliseconds of the database's clock, or until revoked. */
  async put(grant: Omit<typeof table.$inferInsert, 'expiresAt'>, lives?: number): Promise<GrantRecord> {
    const { grantedBy } = grant
    const expiresAt = lives === undefined ? null : sql`now() + make_interval(secs => ${lives / 1000})`
    return (
      await db
        .insert(table)
        .values({ ...grant, expiresAt: expiresAt as Date | null })
        .onConflictDoUpdate({
          target: [table.ownerId, table.thing],
          set: { expiresAt, grantedBy, createdAt: sql`now()` },
        })
        .returning()
    )[0]!
  },
  async remove(ownerId: string, thing: string): Promise<GrantRecord | undefined> {
    return (
      await db
        .delete(table)
        .where(and(eq(table.ownerId, ownerId), eq(table.thing, thing)))
        .returning()
    )[0]
  },
  /** Takes it from everyone who has it. */
  async removeThing(thing: string): Promise<void> {
    await db.delete(table).where(eq(table.thing, thing))
  },
  async removeAll(ownerId: string): Promise<void> {
    await db.delete(table).where(eq(table.ownerId, ownerId))
  },
})
