import { and, asc, eq, gt, inArray, lt, sql } from 'drizzle-orm'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { keys, people, sessions as table } from './schema/index.ts'

export type SessionRow = typeof table.$inferSelect

const live = gt(table.leaseUntil, sql`now()`)

/** Who is connected over SSH, over all processes: each keeps the rows of its own connections alive. */
export const sessions = (db: Db) => ({
  async insert(row: Omit<typeof table.$inferInsert, 'leaseUntil'>, lease: number): Promise<void> {
    await db.insert(table).values({ ...row, leaseUntil: after(lease) })
  },
  async list(): Promise<(SessionRow & { owner: string })[]> {
    const rows = await db
      .select({ row: table, owner: people.name })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .where(live)
      .orderBy(asc(table.startedAt), asc(table.id))
    return rows.map(({ row, owner }) => ({ ...row, owner }))
  },
  async countOf(ownerId: string): Promise<number> {
    return db.$count(table, and(eq(table.ownerId, ownerId), live))
  },
  /** Asks whichever process has it to end it. @returns false when there is none */
  async end(id: string, reason: string): Promise<boolean> {
    return (
      (
        await db
          .update(table)
          .set({ ending: reason })
          .where(and(eq(table.id, id), live))
          .returning({ id: table.id })
      ).length > 0
    )
  },
  async doing(id: string, doing: string): Promise<void> {
    await db.update(table).set({ doing }).where(eq(table.id, id))
  },
  async inside(id: string, containerIds: readonly string[]): Promise<void> {
    await db
      .update(table)
      .set({ inside: [...containerIds] })
      .where(eq(table.id, id))
  },
  /** Renews this process' rows, so that others go on showing them. */
  async renew(ids: readonly string[], lease: number): Promise<void> {
    if (ids.length > 0)
      await db
        .update(table)
        .set({ leaseUntil: after(lease) })
        .where(inArray(table.id, [...ids]))
  },
  /**
   * What holds now for this process' sessions: whose they are, whether their key is still that member's, and whether
   * someone asked to end them. A session that is not in the answer has lost its row or its member.
   */
  async standing(ids: readonly string[]) {
    if (ids.length === 0) return []
    return db
      .select({
        id: table.id,
        ending: table.ending,
        state: people.state,
        keyed: sql<boolean>`exists (select 1 from ${keys} where ${keys.fingerprint} = ${table.fingerprint} and ${keys.ownerId} = ${table.ownerId})`,
      })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .where(inArray(table.id, [...ids]))
  },
  async remove(id: string): Promise<void> {
    await db.delete(table).where(eq(table.id, id))
  },
  /** Frees what earlier lives of this holder left behind; only for who knows that they are dead. */
  async abandon(holderPrefix: string): Promise<void> {
    await db.delete(table).where(sql`starts_with(${table.holder}, ${holderPrefix})`)
  },
  async dropOld(): Promise<void> {
    await db.delete(table).where(lt(table.leaseUntil, sql`now() - interval '1 hour'`))
  },
})
