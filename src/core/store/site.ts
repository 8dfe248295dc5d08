import { asc, eq, sql } from 'drizzle-orm'
import type { Db } from './db.ts'
import { devices, seccomps, site as table } from './schema.ts'

/** Facts of the installation, and the admins' lists of devices and seccomp profiles. */
export const site = (db: Db) => ({
  async get<T>(key: string): Promise<T | undefined> {
    return (await db.select().from(table).where(eq(table.key, key)))[0]?.value as T | undefined
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
    return (await db.select().from(table).where(eq(table.key, key)))[0]!.value as T
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
