import { and, asc, eq, gt, lte, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { ShareLevel } from '../model/container.ts'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { containers, people, shares as table } from './schema/index.ts'

export type ShareRow = typeof table.$inferSelect

const guests = alias(people, 'guests')
const live = gt(table.expiresAt, sql`now()`)

/** With whom containers are shared, by the database's clock. */
export const shares = (db: Db) => ({
  /** Shares, or changes what is shared already; for `lives` milliseconds from now. */
  async put(share: { containerId: string; guestId: string; level: ShareLevel }, lives: number): Promise<ShareRow> {
    const expiresAt = after(lives)
    const set = { level: share.level, expiresAt, createdAt: sql`now()` as unknown as Date }
    return (
      await db
        .insert(table)
        .values({ ...share, expiresAt })
        .onConflictDoUpdate({ target: [table.containerId, table.guestId], set })
        .returning()
    )[0]!
  },
  async remove(containerId: string, guestId: string): Promise<ShareRow | undefined> {
    return (
      await db
        .delete(table)
        .where(and(eq(table.containerId, containerId), eq(table.guestId, guestId)))
        .returning()
    )[0]
  },
  /** What a member shares and what is shared with them. */
  async about(
    personId: string,
  ): Promise<{ container: string; owner: string; guest: string; level: ShareLevel; expiresAt: Date; mine: boolean }[]> {
    const rows = await db
      .select({
        container: containers.name,
        owner: people.name,
        ownerId: people.id,
        guest: guests.name,
        level: table.level,
        expiresAt: table.expiresAt,
      })
      .from(table)
      .innerJoin(containers, eq(containers.id, table.containerId))
      .innerJoin(people, eq(people.id, containers.ownerId))
      .innerJoin(guests, eq(guests.id, table.guestId))
      .where(and(or(eq(people.id, personId), eq(guests.id, personId)), live))
      .orderBy(asc(people.name), asc(containers.name), asc(guests.name))
    return rows.map(({ ownerId, ...row }) => ({ ...row, mine: ownerId === personId }))
  },
  async countOf(containerId: string): Promise<number> {
    return db.$count(table, and(eq(table.containerId, containerId), live))
  },
  /** Removes what has ended. @returns what it was */
  async dropExpired(): Promise<ShareRow[]> {
    return db
      .delete(table)
      .where(lte(table.expiresAt, sql`now()`))
      .returning()
  },
})
