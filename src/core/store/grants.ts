import { and, asc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import { after } from './clock.ts'
import type { Db } from './db.ts'
import { grants as table, groupGrants, groups, memberships } from './schema/index.ts'

/** A grant, and the group that it comes by, if it does. */
export type GrantRecord = Pick<typeof table.$inferSelect, 'thing' | 'expiresAt' | 'grantedBy' | 'createdAt'> & {
  group: string | null
}

const inForce = or(isNull(table.expiresAt), gt(table.expiresAt, sql`now()`))
const groupInForce = or(isNull(groupGrants.expiresAt), gt(groupGrants.expiresAt, sql`now()`))

const until = (lives: number | undefined) => (lives === undefined ? null : after(lives))

const columns = ({ thing, expiresAt, grantedBy, createdAt }: typeof table | typeof groupGrants) => ({
  thing,
  expiresAt,
  grantedBy,
  createdAt,
})

/** What admins permitted. Expiry is a condition of every read, so nothing has to run for it to hold. */
export const grants = (db: Db) => ({
  /** A member's own, then those of their groups. */
  async of(ownerId: string): Promise<GrantRecord[]> {
    const [own, shared] = await Promise.all([
      db
        .select(columns(table))
        .from(table)
        .where(and(eq(table.ownerId, ownerId), inForce))
        .orderBy(asc(table.thing)),
      db
        .select({ ...columns(groupGrants), group: groups.name })
        .from(groupGrants)
        .innerJoin(groups, eq(groups.id, groupGrants.groupId))
        .innerJoin(memberships, eq(memberships.groupId, groupGrants.groupId))
        .where(and(eq(memberships.personId, ownerId), groupInForce))
        .orderBy(asc(groups.name), asc(groupGrants.thing)),
    ])
    return [...own.map((one) => ({ ...one, group: null })), ...shared]
  },
  /** The same, locked against revocation until the transaction ends. */
  async lock(ownerId: string): Promise<Pick<GrantRecord, 'thing'>[]> {
    const own = db
      .select({ thing: table.thing })
      .from(table)
      .where(and(eq(table.ownerId, ownerId), inForce))
      .for('share')
    const shared = db
      .select({ thing: groupGrants.thing })
      .from(groupGrants)
      .innerJoin(memberships, eq(memberships.groupId, groupGrants.groupId))
      .where(and(eq(memberships.personId, ownerId), groupInForce))
      .for('share')
    return (await Promise.all([own, shared])).flat()
  },
  async ofGroup(groupId: string): Promise<GrantRecord[]> {
    const rows = await db
      .select(columns(groupGrants))
      .from(groupGrants)
      .where(and(eq(groupGrants.groupId, groupId), groupInForce))
      .orderBy(asc(groupGrants.thing))
    return rows.map((one) => ({ ...one, group: null }))
  },
  /** Gives or renews, for `lives` milliseconds of the database's clock, or until revoked. */
  async put(grant: Omit<typeof table.$inferInsert, 'expiresAt'>, lives?: number): Promise<GrantRecord> {
    const { grantedBy } = grant
    const expiresAt = until(lives)
    const [row] = await db
      .insert(table)
      .values({ ...grant, expiresAt })
      .onConflictDoUpdate({
        target: [table.ownerId, table.thing],
        set: { expiresAt, grantedBy, createdAt: sql`now()` },
      })
      .returning(columns(table))
    return { ...row!, group: null }
  },
  async putGroup(grant: Omit<typeof groupGrants.$inferInsert, 'expiresAt'>, lives?: number): Promise<GrantRecord> {
    const { grantedBy } = grant
    const expiresAt = until(lives)
    const [row] = await db
      .insert(groupGrants)
      .values({ ...grant, expiresAt })
      .onConflictDoUpdate({
        target: [groupGrants.groupId, groupGrants.thing],
        set: { expiresAt, grantedBy, createdAt: sql`now()` },
      })
      .returning(columns(groupGrants))
    return { ...row!, group: null }
  },
  async remove(ownerId: string, thing: string): Promise<GrantRecord | undefined> {
    const same = and(eq(table.ownerId, ownerId), eq(table.thing, thing))
    const [row] = await db.delete(table).where(same).returning(columns(table))
    return row && { ...row, group: null }
  },
  async removeGroup(groupId: string, thing: string): Promise<GrantRecord | undefined> {
    const same = and(eq(groupGrants.groupId, groupId), eq(groupGrants.thing, thing))
    const [row] = await db.delete(groupGrants).where(same).returning(columns(groupGrants))
    return row && { ...row, group: null }
  },
  /** Takes it from everyone who has it. */
  async removeThing(thing: string): Promise<void> {
    await db.delete(table).where(eq(table.thing, thing))
    await db.delete(groupGrants).where(eq(groupGrants.thing, thing))
  },
  async removeAll(ownerId: string): Promise<void> {
    await db.delete(table).where(eq(table.ownerId, ownerId))
  },
})
