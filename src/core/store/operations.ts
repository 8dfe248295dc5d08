import { and, asc, count, desc, eq, inArray, isNull, lt, ne, sql } from 'drizzle-orm'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { free, type Lease, taken } from './lease.ts'
import { operations as table } from './schema/index.ts'

export type OperationRow = typeof table.$inferSelect
const open = inArray(table.status, ['open', 'undoing'])
// What names a request may be a caller's own choice, and so another's too.
const by = (actorId: string | null) => (actorId === null ? isNull(table.actorId) : eq(table.actorId, actorId))

/** Operations. Whoever holds the lease and the newest fence runs it; anyone else's writes change nothing. */
export const operations = (db: Db) => ({
  /** Stores an intent, leased to `holder` from the start; without a lease it is anyone's. @throws on the unique index `operations_subject` */
  async insert(row: typeof table.$inferInsert, lease?: Lease): Promise<OperationRow> {
    const leased = lease ? { holder: lease.holder, leaseUntil: after(lease.ms), fence: 1 } : {}
    return (
      await db
        .insert(table)
        .values({ ...row, ...leased })
        .returning()
    )[0]!
  },
  async byId(id: string): Promise<OperationRow | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)))[0]
  },
  /** The open operation on a subject, which is its lock. */
  async openOn(subject: string): Promise<OperationRow | undefined> {
    return (
      await db
        .select()
        .from(table)
        .where(and(eq(table.subject, subject), open))
    )[0]
  },
  /** What a call has begun for one of its targets, for a call that is taken up again. */
  async ofRequest(requestId: string, actorId: string | null, target: string | null): Promise<OperationRow | undefined> {
    const same = and(by(actorId), target === null ? isNull(table.target) : eq(table.target, target))
    return (
      await db
        .select()
        .from(table)
        .where(and(eq(table.requestId, requestId), same))
    )[0]
  },
  /** All that one call of somebody's has begun. */
  async byRequest(requestId: string, actorId: string | null): Promise<OperationRow[]> {
    const theirs = and(eq(table.requestId, requestId), by(actorId))
    return db.select().from(table).where(theirs).orderBy(asc(table.createdAt)).limit(200)
  },
  async openOf(ownerId: string, butId: string): Promise<OperationRow[]> {
    return db
      .select()
      .from(table)
      .where(and(eq(table.ownerId, ownerId), ne(table.id, butId), open))
  },
  /** How many are under way; what only waits is not. */
  async countOpen(): Promise<number> {
    return (
      (
        await db
          .select({ n: count() })
          .from(table)
          .where(and(open, ne(table.kind, 'wait')))
      )[0]?.n ?? 0
    )
  },
  /** How many of a kind somebody has begun that are not over. */
  async openBy(actorId: string, kind: string): Promise<number> {
    return (
      (
        await db
          .select({ n: count() })
          .from(table)
          .where(and(eq(table.actorId, actorId), eq(table.kind, kind), open))
      )[0]?.n ?? 0
    )
  },
  async recent(ownerId: string, limit: number): Promise<OperationRow[]> {
    return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(desc(table.createdAt)).limit(limit)
  },
  /** Takes over open operations that are due and whose lease has run out. Two processes never get the same one. */
  async claim(lease: Lease, limit: number): Promise<OperationRow[]> {
    const due = db
      .select({ id: table.id })
      .from(table)
      .where(and(open, free(table)))
      .orderBy(asc(table.nextAt))
      .limit(limit)
      .for('update', { skipLocked: true })
    return db.update(table).set(taken(table, lease)).where(inArray(table.id, due)).returning()
  },
  /** Frees what earlier lives of this holder left behind; only for who knows that they are dead. */
  async abandon(holderPrefix: string): Promise<void> {
    await db
      .update(table)
      .set({ leaseUntil: null, nextAt: sql`now()` })
      .where(and(open, sql`starts_with(${table.holder}, ${holderPrefix})`))
  },
  /** @returns whether the lease is still this fence's */
  async heartbeat(id: string, fence: number, ms: number): Promise<boolean> {
    return (
      (
        await db
          .update(table)
          .set({ leaseUntil: after(ms) })
          .where(and(eq(table.id, id), eq(table.fence, fence), open))
          .returning({ id: table.id })
      ).length > 0
    )
  },
  /** Saves how far it is. @returns false when another process has taken over, whose word counts */
  async save(id: string, fence: number, changes: Partial<typeof table.$inferInsert>): Promise<boolean> {
    return (
      (
        await db
          .update(table)
          .set(changes)
          .where(and(eq(table.id, id), eq(table.fence, fence), open))
          .returning({ id: table.id })
      ).length > 0
    )
  },
  /** Puts it back for later. */
  async postpone(id: string, fence: number, ms: number, changes: Partial<typeof table.$inferInsert>): Promise<void> {
    await db
      .update(table)
      .set({ ...changes, leaseUntil: null, nextAt: after(ms) })
      .where(and(eq(table.id, id), eq(table.fence, fence), open))
  },
  async dropBefore(at: Date): Promise<void> {
    await db.delete(table).where(and(lt(table.finishedAt, at), inArray(table.status, ['done', 'failed'])))
  },
})
