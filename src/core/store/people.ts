import { and, asc, count, eq, ne, sql } from 'drizzle-orm'
import type { Person } from '../model/person.ts'
import type { Db } from './db.ts'
import { containers, keys, people as table, usage } from './schema/index.ts'

/** Members. Names are unique among those who are here; ids for ever. */
export const people = (db: Db) => ({
  async byId(id: string): Promise<Person | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)))[0]
  },
  async byName(name: string): Promise<Person | undefined> {
    return (await db.select().from(table).where(eq(table.name, name)))[0]
  },
  async list(): Promise<Person[]> {
    return db.select().from(table).orderBy(asc(table.name))
  },
  async withCounts(): Promise<(Person & { containers: number; keys: number })[]> {
    return db
      .select({
        id: table.id,
        name: table.name,
        role: table.role,
        state: table.state,
        quota: table.quota,
        createdAt: table.createdAt,
        // drizzle drops the table's name from a column where one table is read, which these must not lose.
        containers: sql<number>`(select count(*)::int from ${containers} where ${containers}.owner_id = ${table}.id)`,
        keys: sql<number>`(select count(*)::int from ${keys} where ${keys}.owner_id = ${table}.id)`,
      })
      .from(table)
      .orderBy(asc(table.name))
  },
  /** @throws on the unique index `people_name` */
  async insert(person: Pick<Person, 'id' | 'name' | 'role'>): Promise<Person> {
    return (await db.insert(table).values(person).returning())[0]!
  },
  async update(id: string, changes: Partial<Pick<Person, 'role' | 'state' | 'quota'>>): Promise<void> {
    await db.update(table).set(changes).where(eq(table.id, id))
  },
  async remove(id: string): Promise<void> {
    await db.delete(table).where(eq(table.id, id))
  },
  /** Active admins besides this one, locked until the transaction ends so that two cannot both leave. */
  async otherAdmins(id: string): Promise<number> {
    await db.select({ id: table.id }).from(table).where(eq(table.role, 'admin')).orderBy(asc(table.id)).for('update')
    const [row] = await db
      .select({ n: count() })
      .from(table)
      .where(and(eq(table.role, 'admin'), eq(table.state, 'active'), ne(table.id, id)))
    return row?.n ?? 0
  },
  /**
   * Locks the member's row of usage until the transaction ends: admissions of one member happen one after the other.
   * @returns what is used
   */
  async lockUsage(id: string) {
    return (await db.select().from(usage).where(eq(usage.ownerId, id)).for('update'))[0]
  },
  async usage(id: string) {
    return (await db.select().from(usage).where(eq(usage.ownerId, id)))[0]
  },
  async setUsage(id: string, changes: Partial<typeof usage.$inferInsert>): Promise<void> {
    await db.update(usage).set(changes).where(eq(usage.ownerId, id))
  },
})
