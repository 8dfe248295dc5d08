import { and, asc, desc, eq, isNull, sql } from 'drizzle-orm'
import type { Person } from '../model/person.ts'
import type { Visitor } from '../model/visitor.ts'
import type { Db } from './db.ts'
import { identities as table, installations, people } from './schema/index.ts'

export type IdentityRow = typeof table.$inferSelect
export type InstallationRow = typeof installations.$inferSelect
type Key = Pick<Visitor, 'platform' | 'scope' | 'user'>

const is = ({ platform, scope, user }: Key) =>
  and(eq(table.platform, platform), eq(table.scope, scope), eq(table.userId, user))
const at = (platform: string, scope: string) =>
  and(eq(installations.platform, platform), eq(installations.scope, scope))

/** Chat accounts of members, and the workspaces and guilds that DCM is installed in. */
export const identities = (db: Db) => ({
  /** The member behind a chat account. One of a workspace that threw DCM out is nobody's. */
  async person(key: Key): Promise<{ person: Person; usedAt: Date } | undefined> {
    const [row] = await db
      .select({ person: people, usedAt: table.usedAt, cutAt: installations.cutAt })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .leftJoin(installations, and(eq(installations.platform, table.platform), eq(installations.scope, table.scope)))
      .where(is(key))
    return row && row.cutAt === null ? { person: row.person, usedAt: row.usedAt } : undefined
  },
  async of(ownerId: string): Promise<IdentityRow[]> {
    return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(asc(table.platform), asc(table.createdAt))
  },
  /** Where a member was last seen, of the places that DCM still is in. */
  async latest(ownerId: string): Promise<IdentityRow | undefined> {
    const [row] = await db
      .select({ identity: table })
      .from(table)
      .leftJoin(installations, and(eq(installations.platform, table.platform), eq(installations.scope, table.scope)))
      .where(and(eq(table.ownerId, ownerId), isNull(installations.cutAt)))
      .orderBy(desc(table.usedAt))
      .limit(1)
    return row?.identity
  },
  async touch(key: Key): Promise<void> {
    await db
      .update(table)
      .set({ usedAt: sql`now()` })
      .where(is(key))
  },
  /** @throws on the primary key when the account is somebody's already */
  async insert(ownerId: string, { platform, scope, user, label }: Visitor): Promise<IdentityRow> {
    return (await db.insert(table).values({ platform, scope, userId: user, ownerId, label }).returning())[0]!
  },
  /** @returns whose it was */
  async remove(key: Key): Promise<IdentityRow | undefined> {
    return (await db.delete(table).where(is(key)).returning())[0]
  },
  async removeAll(ownerId: string): Promise<void> {
    await db.delete(table).where(eq(table.ownerId, ownerId))
  },
  async installation(platform: string, scope: string): Promise<InstallationRow | undefined> {
    return (await db.select().from(installations).where(at(platform, scope)))[0]
  },
  async installations(platform: string): Promise<InstallationRow[]> {
    return db.select().from(installations).where(eq(installations.platform, platform))
  },
  /** It is in there (again); what was sealed before is replaced. */
  async install(platform: string, scope: string, sealed: string | null): Promise<void> {
    await db
      .insert(installations)
      .values({ platform, scope, sealed })
      .onConflictDoUpdate({
        target: [installations.platform, installations.scope],
        set: { sealed, cutAt: null, createdAt: sql`now()` },
      })
  },
  /** It was thrown out: tokens are forgotten, and its members are strangers until it is back. @returns false for news older than the installation */
  async cut(platform: string, scope: string, when: Date): Promise<boolean> {
    const rows = await db
      .insert(installations)
      .values({ platform, scope, sealed: null, cutAt: when })
      .onConflictDoUpdate({
        target: [installations.platform, installations.scope],
        set: { sealed: null, cutAt: when },
        // A second of grace: platforms tell the time of an event in whole seconds.
        setWhere: sql`${installations.createdAt} < ${when.toISOString()}::timestamptz + interval '1 second'`,
      })
      .returning()
    return rows.length > 0
  },
})
