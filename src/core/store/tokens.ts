import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { Person } from '../model/person.ts'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { people, tokens as table } from './schema/index.ts'

export type TokenRow = typeof table.$inferSelect

/** API tokens, by the hash of their secret. */
export const tokens = (db: Db) => {
  // Every call with a token asks this.
  let prepared: ReturnType<typeof prepareByHash> | undefined
  const prepareByHash = () =>
    db
      .select({ token: table, person: people })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .where(and(eq(table.hash, sql.placeholder('hash')), gt(table.expiresAt, sql`now()`)))
      .prepare('tokens_by_hash')
  return {
    async of(ownerId: string): Promise<TokenRow[]> {
      return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(asc(table.createdAt))
    },
    /** The token with this hash, when it has not expired by the database's clock, and whose it is. */
    async byHash(hash: string): Promise<{ token: TokenRow; person: Person } | undefined> {
      return (await (prepared ??= prepareByHash()).execute({ hash }))[0]
    },
    /**
     * Stores a token that lives for `lives` milliseconds of the database's clock.
     * @throws on the unique index `tokens_label`
     */
    async insert(token: Omit<typeof table.$inferInsert, 'expiresAt'>, lives: number): Promise<TokenRow> {
      const expiresAt = after(lives)
      return (
        await db
          .insert(table)
          .values({ ...token, expiresAt })
          .returning()
      )[0]!
    },
    async touch(id: string): Promise<void> {
      await db
        .update(table)
        .set({ lastUsedAt: sql`now()` })
        .where(eq(table.id, id))
    },
    async remove(ownerId: string, id: string): Promise<void> {
      await db.delete(table).where(and(eq(table.ownerId, ownerId), eq(table.id, id)))
    },
    async removeAll(ownerId: string): Promise<void> {
      await db.delete(table).where(eq(table.ownerId, ownerId))
    },
  }
}
