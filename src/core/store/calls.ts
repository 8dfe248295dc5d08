import { and, eq, isNull, lt } from 'drizzle-orm'
import type { Db } from './db.ts'
import { calls as table } from './schema/index.ts'

export type CallRow = typeof table.$inferSelect

/** Calls that carried an Idempotency-Key, for a day. */
export const calls = (db: Db) => ({
  /** @returns undefined when the key is new and now this call's; else what was stored */
  async claim(row: { ownerId: string; key: string; digest: string }): Promise<CallRow | undefined> {
    for (let tries = 0; tries < 10; tries++) {
      const inserted = await db.insert(table).values(row).onConflictDoNothing().returning()
      if (inserted.length > 0) return undefined
      const stored = (
        await db
          .select()
          .from(table)
          .where(and(eq(table.ownerId, row.ownerId), eq(table.key, row.key)))
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
