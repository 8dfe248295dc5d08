import { and, eq, isNull, lt } from 'drizzle-orm'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { calls as table } from './schema/index.ts'

export type CallRow = typeof table.$inferSelect

/** Calls that carried an Idempotency-Key, for a day. */
export const calls = (db: Db) => ({
  /**
   * @param within milliseconds that an equal call may take before this one may do its work
   * @returns undefined when the key is this call's now; else what was stored
   */
  async claim(row: { ownerId: string; key: string; digest: string }, within: number): Promise<CallRow | undefined> {
    const { ownerId, key, digest, reply, operationId, createdAt } = table
    const left = and(eq(digest, row.digest), isNull(reply), isNull(operationId), lt(createdAt, after(-within)))!
    for (let tries = 0; tries < 10; tries++) {
      const inserted = await db
        .insert(table)
        .values(row)
        .onConflictDoUpdate({ target: [ownerId, key], set: { createdAt: after(0) }, setWhere: left })
        .returning()
      if (inserted.length > 0) return undefined
      const stored = (
        await db
          .select()
          .from(table)
          .where(and(eq(ownerId, row.ownerId), eq(key, row.key)))
      )[0]
      // Gone between the two: its holder gave the key back, so it may be this call's after all.
      if (stored) return stored
    }
    throw new Error(`the key of a call changed hands too often: ${row.key}`)
  },
  async settle(ownerId: string, key: string, changes: { operationId?: string; reply?: string }): Promise<void> {
    await db
      .update(table)
      .set(changes)
      .where(and(eq(table.ownerId, ownerId), eq(table.key, key)))
  },
  /** Gives the key back: the call changed nothing. One that has begun an operation keeps it. */
  async forget(ownerId: string, key: string): Promise<void> {
    await db.delete(table).where(and(eq(table.ownerId, ownerId), eq(table.key, key), isNull(table.operationId)))
  },
  async dropBefore(at: Date): Promise<void> {
    await db.delete(table).where(lt(table.createdAt, at))
  },
})
