import { and, asc, count, eq } from 'drizzle-orm'
import type { Group } from '../model/group.ts'
import type { Quota } from '../model/quota.ts'
import type { Db } from './db.ts'
import { groups as table, memberships, people } from './schema/index.ts'

/** Groups and who is in them. What they are granted is with `grants`. */
export const groups = (db: Db) => ({
  async insert(group: { id: string; name: string }): Promise<Group> {
    return (await db.insert(table).values(group).returning())[0]!
  },
  async list(): Promise<(Group & { members: number })[]> {
    const members = db.$count(memberships, eq(memberships.groupId, table.id))
    const { id, name, quota, createdAt } = table
    return db.select({ id, name, quota, createdAt, members }).from(table).orderBy(asc(table.name))
  },
  async count(): Promise<number> {
    return (await db.select({ n: count() }).from(table))[0]?.n ?? 0
  },
  async byName(name: string): Promise<Group | undefined> {
    return (await db.select().from(table).where(eq(table.name, name)))[0]
  },
  /** Those that a member is in. */
  async of(personId: string): Promise<Group[]> {
    const { id, name, quota, createdAt } = table
    return db
      .select({ id, name, quota, createdAt })
      .from(table)
      .innerJoin(memberships, eq(memberships.groupId, table.id))
      .where(eq(memberships.personId, personId))
      .orderBy(asc(table.name))
  },
  async members(groupId: string): Promise<string[]> {
    const rows = await db
      .select({ name: people.name })
      .from(memberships)
      .innerJoin(people, eq(people.id, memberships.personId))
      .where(eq(memberships.groupId, groupId))
      .orderBy(asc(people.name))
    return rows.map(({ name }) => name)
  },
  async setQuota(id: string, quota: Partial<Quota>): Promise<void> {
    await db.update(table).set({ quota }).where(eq(table.id, id))
  },
  async add(groupId: string, personId: string): Promise<void> {
    await db.insert(memberships).values({ groupId, personId }).onConflictDoNothing()
  },
  /** @returns whether they were in it */
  async take(groupId: string, personId: string): Promise<boolean> {
    const same = and(eq(memberships.groupId, groupId), eq(memberships.personId, personId))
    return (await db.delete(memberships).where(same).returning()).length > 0
  },
  async remove(id: string): Promise<void> {
    await db.delete(table).where(eq(table.id, id))
  },
})
