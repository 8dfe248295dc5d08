import { and, asc, desc, eq, gt, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import type { Person } from '../model/person.ts'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { deliveries as sent, hooks as table, people } from './schema/index.ts'

export type HookRow = typeof table.$inferSelect
export type DeliveryRow = typeof sent.$inferSelect

/** How many deliveries of one hook are kept. */
const kept = 1000

/** Webhooks. Times are the database's. */
export const hooks = (db: Db) => ({
  async of(ownerId: string): Promise<HookRow[]> {
    return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(asc(table.name))
  },
  /** One that has not expired, with whose it is and whether the secret before the last rotation is still good. */
  async live(id: string): Promise<{ hook: HookRow; person: Person; overlaps: boolean } | undefined> {
    const [row] = await db
      .select({ hook: table, person: people, overlaps: sql<boolean>`coalesce(${table.previousUntil} > now(), false)` })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .where(and(eq(table.id, id), gt(table.expiresAt, sql`now()`)))
    return row
  },
  /** The same for what has been accepted: it is carried out even when the hook has expired meanwhile. */
  async known(id: string): Promise<{ hook: HookRow; person: Person } | undefined> {
    const rows = await db
      .select({ hook: table, person: people })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .where(eq(table.id, id))
    return rows[0]
  },
  /** @throws on the unique index `hooks_name` */
  async insert(row: Omit<typeof table.$inferInsert, 'expiresAt'>, lives: number): Promise<HookRow> {
    return (
      await db
        .insert(table)
        .values({ ...row, expiresAt: after(lives) })
        .returning()
    )[0]!
  },
  /** Puts a new secret in the place of the present one, which stays good for `overlap` milliseconds. */
  async rotate(id: string, sealed: string, overlap: number): Promise<HookRow | undefined> {
    return (
      await db
        .update(table)
        .set({
          sealed,
          previous: overlap > 0 ? sql`${table.sealed}` : null,
          previousUntil: overlap > 0 ? after(overlap) : null,
        })
        .where(eq(table.id, id))
        .returning()
    )[0]
  },
  async fail(id: string, times: number): Promise<void> {
    await db
      .update(table)
      .set({ failures: sql`least(${table.failures} + ${times}, 1000000000)`, failedAt: sql`now()` })
      .where(eq(table.id, id))
  },
  async remove(id: string): Promise<void> {
    await db.delete(table).where(eq(table.id, id))
  },
})

/** What webhooks were sent. */
export const deliveries = (db: Db) => ({
  /** @returns undefined when the same was sent before */
  async insert(row: Omit<typeof sent.$inferInsert, 'leaseUntil'>, lease: number): Promise<DeliveryRow | undefined> {
    const stored = (
      await db
        .insert(sent)
        .values({
          ...row,
          leaseUntil: after(lease),
          ...(row.state === 'received' ? {} : { endedAt: sql`now()` as unknown as Date }),
        })
        .onConflictDoNothing()
        .returning()
    )[0]
    if (stored)
      await db
        .delete(sent)
        .where(
          and(
            eq(sent.hookId, row.hookId),
            sql`${sent.state} <> 'received'`,
            inArray(
              sent.id,
              db
                .select({ id: sent.id })
                .from(sent)
                .where(eq(sent.hookId, row.hookId))
                .orderBy(desc(sent.createdAt))
                .offset(kept),
            ),
          ),
        )
    return stored
  },
  /** What was sent before under this id, or as these bytes. */
  async earlier(hookId: string, key: string | null, digest: string | null): Promise<DeliveryRow | undefined> {
    const alike = or(
      key === null ? undefined : eq(sent.key, key),
      digest === null ? undefined : eq(sent.digest, digest),
    )
    if (!alike) return undefined
    return (
      await db
        .select()
        .from(sent)
        .where(and(eq(sent.hookId, hookId), alike))
        .orderBy(asc(sent.createdAt))
    )[0]
  },
  async byId(id: string): Promise<DeliveryRow | undefined> {
    return (await db.select().from(sent).where(eq(sent.id, id)))[0]
  },
  async of(hookId: string, limit: number): Promise<DeliveryRow[]> {
    return db.select().from(sent).where(eq(sent.hookId, hookId)).orderBy(desc(sent.createdAt)).limit(limit)
  },
  /** How many came within the last `ms`. */
  async lately(hookId: string, ms: number): Promise<number> {
    return db.$count(sent, and(eq(sent.hookId, hookId), gt(sent.createdAt, after(-ms))))
  },
  /** @returns false when its end was written before */
  async end(id: string, how: Pick<DeliveryRow, 'state' | 'text' | 'code' | 'operationId'>): Promise<boolean> {
    const rows = await db
      .update(sent)
      .set({ ...how, endedAt: sql`now()`, leaseUntil: null })
      .where(and(eq(sent.id, id), eq(sent.state, 'received')))
      .returning({ id: sent.id })
    return rows.length > 0
  },
  /** Keeps this process' own to itself. */
  async renew(ids: readonly string[], lease: number): Promise<void> {
    if (ids.length > 0)
      await db
        .update(sent)
        .set({ leaseUntil: after(lease) })
        .where(inArray(sent.id, [...ids]))
  },
  /** Takes over what another process, or an earlier life of this one, has not brought to its end. */
  async claim(holder: string, lease: number, limit: number): Promise<DeliveryRow[]> {
    const due = db
      .select({ id: sent.id })
      .from(sent)
      .where(and(eq(sent.state, 'received'), or(isNull(sent.leaseUntil), lt(sent.leaseUntil, sql`now()`))))
      .orderBy(asc(sent.createdAt))
      .limit(limit)
      .for('update', { skipLocked: true })
    return db
      .update(sent)
      .set({ holder, leaseUntil: after(lease) })
      .where(inArray(sent.id, due))
      .returning()
  },
  /** Frees what earlier lives of this holder left behind; only for who knows that they are dead. */
  async abandon(holderPrefix: string): Promise<void> {
    await db
      .update(sent)
      .set({ leaseUntil: null })
      .where(and(eq(sent.state, 'received'), sql`starts_with(${sent.holder}, ${holderPrefix})`))
  },
  async dropBefore(at: Date): Promise<void> {
    await db.delete(sent).where(and(lt(sent.createdAt, at), sql`${sent.state} <> 'received'`))
  },
})
