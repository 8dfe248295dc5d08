import { and, eq, sql } from 'drizzle-orm'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { leases as table } from './schema/index.ts'

/** Which process runs a loop; by the database's clock. */
export const leases = (db: Db) => ({
  /** Takes or renews a lease. @returns whether it is `holder`'s for the next `ms` */
  async take(name: string, holder: string, ms: number): Promise<boolean> {
    const rows = await db
      .insert(table)
      .values({ name, holder, until: after(ms) })
      .onConflictDoUpdate({
        target: table.name,
        set: {
          holder,
          until: after(ms),
          fence: sql`${table.fence} + case when ${table.holder} = ${holder} then 0 else 1 end`,
        },
        setWhere: sql`${table.holder} = ${holder} or ${table.until} < now()`,
      })
      .returning({ holder: table.holder })
    return rows[0]?.holder === holder
  },
  async drop(name: string, holder: string): Promise<void> {
    await db.delete(table).where(and(eq(table.name, name), eq(table.holder, holder)))
  },
  /** Frees what earlier lives of this holder held; only for who knows that they are dead. */
  async abandon(holderPrefix: string): Promise<void> {
    await db.delete(table).where(sql`starts_with(${table.holder}, ${holderPrefix})`)
  },
})
