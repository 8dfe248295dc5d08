import { and, desc, eq, gte, lt, or } from 'drizzle-orm'
import type { Db } from './db.ts'
import { audit as table } from './schema.ts'

export type AuditEntry = typeof table.$inferInsert
export type AuditRecord = typeof table.$inferSelect

/** The audit log: rows are added, read, and dropped when they are very old; never changed. */
export const audit = (db: Db) => ({
  async add(entry: AuditEntry): Promise<void> {
    await db.insert(table).values(entry)
  },
  /** Newest first. */
  async read(filter: { name?: string | undefined; since?: Date | undefined; limit: number }): Promise<AuditRecord[]> {
    return db
      .select()
      .from(table)
      .where(
        and(
          filter.name === undefined ? undefined : or(eq(table.actor, filter.name), eq(table.as, filter.name)),
          filter.since === undefined ? undefined : gte(table.at, filter.since),
        ),
      )
      .orderBy(desc(table.id))
      .limit(filter.limit)
  },
  async dropBefore(at: Date): Promise<void> {
    await db.delete(table).where(lt(table.at, at))
  },
})
