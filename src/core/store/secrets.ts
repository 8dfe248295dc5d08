import { and, asc, eq, sql } from 'drizzle-orm'
import type { Db } from './db.ts'
import { secrets as table } from './schema/index.ts'

export type SecretRow = typeof table.$inferSelect

/** Secrets of containers, sealed. */
export const secrets = (db: Db) => ({
  async of(containerId: string): Promise<SecretRow[]> {
    return db.select().from(table).where(eq(table.containerId, containerId)).orderBy(asc(table.name))
  },
  async put(secret: Pick<SecretRow, 'containerId' | 'name' | 'sealed'>): Promise<void> {
    await db
      .insert(table)
      .values(secret)
      .onConflictDoUpdate({
        target: [table.containerId, table.name],
        set: { sealed: secret.sealed, createdAt: sql`now()` },
      })
  },
  /** @returns whether there was one */
  async remove(containerId: string, name: string): Promise<boolean> {
    const gone = await db
      .delete(table)
      .where(and(eq(table.containerId, containerId), eq(table.name, name)))
      .returning({ name: table.name })
    return gone.length > 0
  },
})
