import { and, asc, eq, gt, isNull, lt, sql } from 'drizzle-orm'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { grants, mutes, notices, requests as table } from './schema/index.ts'

export type RequestRow = typeof table.$inferSelect
export type NoticeRow = typeof notices.$inferSelect

/** What members asked admins for. */
export const requests = (db: Db) => ({
  async insert(row: typeof table.$inferInsert): Promise<RequestRow> {
    return (await db.insert(table).values(row).returning())[0]!
  },
  async byId(id: string): Promise<RequestRow | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)))[0]
  },
  /** The same, locked until the transaction ends: of two who decide, one finds it decided. */
  async lock(id: string): Promise<RequestRow | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)).for('update'))[0]
  },
  async open(): Promise<RequestRow[]> {
    return db.select().from(table).where(eq(table.state, 'open')).orderBy(asc(table.createdAt)).limit(500)
  },
  async of(ownerId: string): Promise<RequestRow[]> {
    return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(asc(table.createdAt)).limit(500)
  },
  async update(id: string, changes: Partial<typeof table.$inferInsert>): Promise<void> {
    await db.update(table).set(changes).where(eq(table.id, id))
  },
  async dropBefore(at: Date): Promise<void> {
    await db.delete(table).where(lt(table.createdAt, at))
  },
})

/** What members are to be told by themselves. */
export const noticed = (db: Db) => ({
  /** Once for each key, however often it is seen. */
  async insert(row: typeof notices.$inferInsert): Promise<void> {
    await db.insert(notices).values(row).onConflictDoNothing()
  },
  /** Those who have something to hear, once nothing new has come for `quiet` milliseconds or it has waited for `most`. */
  async due(quiet: number, most: number): Promise<string[]> {
    const rows = await db
      .select({ ownerId: notices.ownerId })
      .from(notices)
      .where(isNull(notices.toldAt))
      .groupBy(notices.ownerId)
      .having(
        sql`max(${notices.createdAt}) < now() - make_interval(secs => ${quiet / 1000}) or min(${notices.createdAt}) < now() - make_interval(secs => ${most / 1000})`,
      )
    return rows.map((row) => row.ownerId)
  },
  /** Takes all that one member has not been told, as told. */
  async take(ownerId: string): Promise<NoticeRow[]> {
    const rows = await db
      .update(notices)
      .set({ toldAt: sql`now()` })
      .where(and(eq(notices.ownerId, ownerId), isNull(notices.toldAt)))
      .returning()
    return rows.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  },
  async muted(ownerId: string): Promise<string[]> {
    return (await db.select().from(mutes).where(eq(mutes.ownerId, ownerId))).map((row) => row.kind)
  },
  async mute(ownerId: string, kind: string, off: boolean): Promise<void> {
    if (off) await db.insert(mutes).values({ ownerId, kind }).onConflictDoNothing()
    else await db.delete(mutes).where(and(eq(mutes.ownerId, ownerId), eq(mutes.kind, kind)))
  },
  /** Grants that end within `ms`. */
  async endingGrants(ms: number) {
    const soon = after(ms)
    return db
      .select()
      .from(grants)
      .where(and(gt(grants.expiresAt, sql`now()`), lt(grants.expiresAt, soon)))
      .limit(1000)
  },
  async dropBefore(at: Date): Promise<void> {
    await db.delete(notices).where(lt(notices.createdAt, at))
  },
})
