import { and, asc, eq, sql } from 'drizzle-orm'
import type { Db } from './db.ts'
import { registries as table, registryLogins as logins } from './schema/index.ts'

export type LoginRow = typeof logins.$inferSelect

/** Registries that admins allow, and members' logins there. */
export const registries = (db: Db) => ({
  async list() {
    return db.select().from(table).orderBy(asc(table.host))
  },
  async has(host: string): Promise<boolean> {
    return (await db.select().from(table).where(eq(table.host, host))).length > 0
  },
  async add(registry: Pick<typeof table.$inferInsert, 'host' | 'addedBy'>): Promise<void> {
    await db.insert(table).values(registry).onConflictDoNothing()
  },
  /** With every login there. @returns how many those were; undefined when it was not allowed */
  async remove(host: string): Promise<number | undefined> {
    const gone = await db.delete(logins).where(eq(logins.registry, host)).returning({ owner: logins.ownerId })
    const had = await db.delete(table).where(eq(table.host, host)).returning()
    return had.length > 0 ? gone.length : undefined
  },
  async logins(ownerId: string): Promise<LoginRow[]> {
    return db.select().from(logins).where(eq(logins.ownerId, ownerId)).orderBy(asc(logins.registry))
  },
  async login(ownerId: string, registry: string): Promise<LoginRow | undefined> {
    const mine = and(eq(logins.ownerId, ownerId), eq(logins.registry, registry))
    return (await db.select().from(logins).where(mine))[0]
  },
  /** @throws on the foreign key when the registry is not allowed any more */
  async setLogin(login: Omit<LoginRow, 'createdAt'>): Promise<void> {
    const { username, sealed } = login
    await db
      .insert(logins)
      .values(login)
      .onConflictDoUpdate({
        target: [logins.ownerId, logins.registry],
        set: { username, sealed, createdAt: sql`now()` },
      })
  },
  /** @returns whether there was one */
  async removeLogin(ownerId: string, registry: string): Promise<boolean> {
    const mine = and(eq(logins.ownerId, ownerId), eq(logins.registry, registry))
    return (await db.delete(logins).where(mine).returning({ owner: logins.ownerId })).length > 0
  },
})
