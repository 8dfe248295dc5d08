import { asc, eq, sql } from 'drizzle-orm'
import type { Db } from './db.ts'
import { devices, seccomps, site as table } from './schema/index.ts'

// As text, for drizzle parses what a driver has parsed already: the string "1234" would come back as a number.
const written = { value: sql<string>`${table.value}::text` }

/** Facts of the installation, and the admins' lists of devices and seccomp profiles. */
export const site = (db: Db) => ({
  /** The time by the database's own clock. */
  async clock(): Promise<Date> {
    const [row] = await db
      .select({ now: sql<string>`(extract(epoch from clock_timestamp()) * 1000)::text` })
      .from(sql`(select 1) as one`)
    return new Date(Number(row!.now))
  },
  async get<T>(key: string): Promise<T | undefined> {
    const [row] = await db.select(written).from(table).where(eq(table.key, key))
    return row && (JSON.parse(row.value) as T)
  },
  async set(key: string, value: unknown): Promise<void> {
    await db.insert(table).values({ key, value }).onConflictDoUpdate({ target: table.key, set: { value } })
  },
  /** Sets some members of an object and leaves the rest, in one statement: two admins at once both get what they asked. */
  async merge(key: string, changes: Record<string, unknown>): Promise<void> {
    await db
      .insert(table)
      .values({ key, value: changes })
      .onConflictDoUpdate({ target: table.key, set: { value: sql`${table.value} || excluded.value` } })
  },
  /** Sets it when nobody has; @returns what holds afterwards */
  async settle<T>(key: string, value: T): Promise<T> {
    await db.insert(table).values({ key, value }).onConflictDoNothing()
    const [row] = await db.select(written).from(table).where(eq(table.key, key))
    return JSON.parse(row!.value) as T
  },
  async devices() {
    return db.select().from(devices).orderBy(asc(devices.name))
  },
  async putDevice(device: typeof devices.$inferInsert): Promise<void> {
    await db.insert(devices).values(device).onConflictDoUpdate({ target: devices.name, set: device })
  },
  async removeDevice(name: string): Promise<boolean> {
    return (await db.delete(devices).where(eq(devices.name, name)).returning()).length > 0
  },
  async seccomps() {
    return db.select().from(seccomps).orderBy(asc(seccomps.name))
  },
  async putSeccomp(profile: typeof seccomps.$inferInsert): Promise<void> {
    await db.insert(seccomps).values(profile).onConflictDoUpdate({ target: seccomps.name, set: profile })
  },
  async removeSeccomp(name: string): Promise<boolean> {
    return (await db.delete(seccomps).where(eq(seccomps.name, name)).returning()).length > 0
  },
})
