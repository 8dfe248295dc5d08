import { and, eq, gt, isNull, lt, or, sql } from 'drizzle-orm'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { codes as table, guesses } from './schema/index.ts'

export type CodeRow = typeof table.$inferSelect

/** Single-use codes, by the first part of what was shown; the rest is stored as a hash. Times are the database's. */
export const codes = (db: Db) => ({
  /** @returns undefined when another open code begins alike */
  async insert(code: Omit<typeof table.$inferInsert, 'expiresAt'>, lives: number): Promise<CodeRow | undefined> {
    await db
      .delete(table)
      .where(and(eq(table.id, code.id), or(lt(table.expiresAt, sql`now()`), sql`${table.usedAt} is not null`)))
    return (
      await db
        .insert(table)
        .values({ ...code, expiresAt: after(lives) })
        .onConflictDoNothing()
        .returning()
    )[0]
  },
  /** The open code that begins so, locked until the transaction ends: of two who take it, one finds it used. */
  async lock(id: string): Promise<CodeRow | undefined> {
    const open = and(eq(table.id, id), isNull(table.usedAt), gt(table.expiresAt, sql`now()`))
    return (await db.select().from(table).where(open).for('update'))[0]
  },
  async miss(id: string): Promise<void> {
    await db
      .update(table)
      .set({ tries: sql`${table.tries} + 1` })
      .where(eq(table.id, id))
  },
  async use(id: string): Promise<void> {
    await db
      .update(table)
      .set({ usedAt: sql`now()` })
      .where(eq(table.id, id))
  },
  /** Withdraws what was given out for the same purpose before. */
  async removeFor(kind: CodeRow['kind'], subject: string): Promise<void> {
    await db.delete(table).where(and(eq(table.kind, kind), eq(table.subject, subject)))
  },
  /** Wrong codes that `who` has tried since their window began. */
  async guesses(who: string): Promise<number> {
    const [row] = await db
      .select()
      .from(guesses)
      .where(and(eq(guesses.who, who), gt(guesses.until, sql`now()`)))
    return row?.count ?? 0
  },
  /** Counts one more wrong code; the count starts anew when its window is over. */
  async guessed(who: string, window: number): Promise<void> {
    const over = sql`${guesses.until} < now()`
    await db
      .insert(guesses)
      .values({ who, count: 1, until: after(window) })
      .onConflictDoUpdate({
        target: guesses.who,
        set: {
          count: sql`case when ${over} then 1 else ${guesses.count} + 1 end`,
          until: sql`case when ${over} then excluded.until else ${guesses.until} end`,
        },
      })
  },
  async dropOld(): Promise<void> {
    await db.delete(table).where(lt(table.expiresAt, sql`now() - interval '1 day'`))
    await db.delete(guesses).where(lt(guesses.until, sql`now()`))
  },
})
