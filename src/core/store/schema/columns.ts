import { bigint, timestamp } from 'drizzle-orm/pg-core'

/** A moment, as a `Date`. */
export const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/** When a row was made. */
export const createdAt = () => at('created_at').notNull().defaultNow()

/** A whole number that may pass 2^31: bytes. */
export const big = (name: string) => bigint(name, { mode: 'number' })
