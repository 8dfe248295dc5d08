import { and, isNull, lt, or, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { after } from './clock.ts'

/** Who holds a row, and for how many milliseconds unless they renew it. */
export type Lease = { holder: string; ms: number }

/** A row that is due and that nobody holds. */
export const free = (table: { nextAt: PgColumn; leaseUntil: PgColumn }) =>
  and(sql`${table.nextAt} <= now()`, or(isNull(table.leaseUntil), lt(table.leaseUntil, sql`now()`)))

/** What is set when it is taken: the newest fence is the only one whose writes count. */
export const taken = (table: { fence: PgColumn }, lease: Lease) => ({
  holder: lease.holder,
  leaseUntil: after(lease.ms),
  fence: sql`${table.fence} + 1`,
})
