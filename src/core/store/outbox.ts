import { and, asc, eq, inArray, lt, sql } from 'drizzle-orm'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { free, type Lease, taken } from './lease.ts'
import { buttons, outbox as table } from './schema/index.ts'

export type OutboxRow = typeof table.$inferSelect
export type OutboxNew = typeof table.$inferInsert
export type ButtonRow = typeof buttons.$inferSelect
/** `lives`: milliseconds that it may be pressed. */
export type ButtonNew = Omit<typeof buttons.$inferInsert, 'expiresAt'> & { lives: number }

const open = inArray(table.status, ['called', 'owed'])
const mine = (id: string, fence: number) => and(eq(table.id, id), eq(table.fence, fence), open)

/** Messages owed to chat platforms, and the buttons on them. Whoever holds a row's newest fence sends it. */
export const outbox = (db: Db) => ({
  /** @returns undefined when this delivery is known already */
  async insert(row: OutboxNew, lease?: Lease): Promise<OutboxRow | undefined> {
    const leased = lease ? { holder: lease.holder, leaseUntil: after(lease.ms), fence: 1 } : {}
    return (
      await db
        .insert(table)
        .values({ ...row, ...leased })
        .onConflictDoNothing()
        .returning()
    )[0]
  },
  async byId(id: string): Promise<OutboxRow | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)))[0]
  },
  /** Takes what is due and nobody holds. Two processes never get the same row. */
  async claim(platforms: string[], lease: Lease, limit: number): Promise<OutboxRow[]> {
    if (platforms.length === 0) return []
    const due = db
      .select({ id: table.id })
      .from(table)
      .where(and(open, inArray(table.platform, platforms), free(table)))
      .orderBy(asc(table.createdAt))
      .limit(limit)
      .for('update', { skipLocked: true })
    return db.update(table).set(taken(table, lease)).where(inArray(table.id, due)).returning()
  },
  /** Frees what earlier lives of this holder held; only for who knows that they are dead. */
  async abandon(holderPrefix: string): Promise<void> {
    await db
      .update(table)
      .set({ leaseUntil: null })
      .where(and(open, sql`starts_with(${table.holder}, ${holderPrefix})`))
  },
  /** @returns whether the row is still this fence's */
  async heartbeat(id: string, fence: number, ms: number): Promise<boolean> {
    return (
      (
        await db
          .update(table)
          .set({ leaseUntil: after(ms) })
          .where(mine(id, fence))
          .returning({ id: table.id })
      ).length > 0
    )
  },
  /** @returns false when another process has taken over, whose word counts */
  async save(id: string, fence: number, changes: Partial<OutboxNew>): Promise<boolean> {
    return (await db.update(table).set(changes).where(mine(id, fence)).returning({ id: table.id })).length > 0
  },
  /** Marks it as arrived; one that was written anew meanwhile stays owed. */
  async sent(id: string, fence: number, revision: number, place: Record<string, unknown> | null): Promise<void> {
    await db
      .update(table)
      .set({
        place,
        status: sql`case when ${table.revision} = ${revision} then 'sent' else 'owed' end`,
        sentAt: sql`now()`,
        sends: 0,
        attempts: 0,
        leaseUntil: null,
        // What it was called with is not needed any more, and need not be kept.
        call: null,
      })
      .where(mine(id, fence))
  },
  /** Gives up a row that was stored just now and not worked on: whoever takes it is the first. */
  async release(id: string): Promise<void> {
    await db
      .update(table)
      .set({ leaseUntil: null, fence: 0 })
      .where(and(eq(table.id, id), eq(table.fence, 1), open))
  },
  /** Puts it back for later. */
  async postpone(id: string, fence: number, ms: number, changes: Partial<OutboxNew>): Promise<void> {
    await db
      .update(table)
      .set({ ...changes, leaseUntil: null, nextAt: after(ms) })
      .where(mine(id, fence))
  },
  /** Writes a letter anew: it is sent, as an edit where it has arrived before. */
  async rewrite(id: string, letter: string): Promise<void> {
    await db
      .update(table)
      .set({ letter, status: 'owed', revision: sql`${table.revision} + 1`, nextAt: sql`now()` })
      .where(and(eq(table.id, id), inArray(table.status, ['owed', 'sent'])))
  },
  async drop(id: string): Promise<void> {
    await db.update(table).set({ status: 'dropped', call: null, leaseUntil: null }).where(eq(table.id, id))
  },
  async addButtons(rows: ButtonNew[]): Promise<void> {
    if (rows.length === 0) return
    await db.insert(buttons).values(rows.map(({ lives, ...row }) => ({ ...row, expiresAt: after(lives) })))
  },
  /** A button that is not too old. */
  async button(id: string): Promise<ButtonRow | undefined> {
    return (
      await db
        .select()
        .from(buttons)
        .where(and(eq(buttons.id, id), sql`${buttons.expiresAt} > now()`))
    )[0]
  },
  /** @returns whether this is the first press by `who` */
  async press(id: string, who: string): Promise<boolean> {
    const pressed = await db
      .update(buttons)
      .set({ pressedBy: sql`${buttons.pressedBy} || ${JSON.stringify([who])}::jsonb` })
      .where(and(eq(buttons.id, id), sql`not ${buttons.pressedBy} @> ${JSON.stringify([who])}::jsonb`))
      .returning({ id: buttons.id })
    return pressed.length > 0
  },
  /** The press came to nothing, so it may be tried again. */
  async unpress(id: string, who: string): Promise<void> {
    await db
      .update(buttons)
      .set({ pressedBy: sql`${buttons.pressedBy} - ${who}::text` })
      .where(eq(buttons.id, id))
  },
  /** All buttons of one message are over: its question is answered. */
  async removeButtons(outboxId: string): Promise<void> {
    await db.delete(buttons).where(eq(buttons.outboxId, outboxId))
  },
  async dropBefore(at: Date): Promise<void> {
    await db.delete(table).where(and(lt(table.createdAt, at), inArray(table.status, ['sent', 'dropped'])))
    await db.delete(buttons).where(sql`${buttons.expiresAt} < now()`)
  },
})
