import { type SQL, sql } from 'drizzle-orm'

/** So many milliseconds from now, by the database's clock: it is the one that all processes share. */
export const after = (ms: number) => sql`now() + make_interval(secs => ${ms / 1000})` as SQL<Date> & Date
