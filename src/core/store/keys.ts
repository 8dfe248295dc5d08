import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import { alias, unionAll } from 'drizzle-orm/pg-core'
import type { Person } from '../model/person.ts'
import type { Db } from './db.ts'
import { containers, keys as table, people, shares } from './schema/index.ts'

export type KeyRow = typeof table.$inferSelect

const owners = alias(people, 'owners')

/** Members' public keys; a fingerprint belongs to one member. */
export const keys = (db: Db) => ({
  async of(ownerId: string): Promise<KeyRow[]> {
    return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(asc(table.createdAt), asc(table.id))
  },
  async byFingerprint(fingerprint: string): Promise<KeyRow | undefined> {
    return (await db.select().from(table).where(eq(table.fingerprint, fingerprint)))[0]
  },
  /** The member whose key it is: one statement, whether there is one or not. */
  async owner(fingerprint: string): Promise<Person | undefined> {
    const rows = await db
      .select({ person: people })
      .from(table)
      .innerJoin(people, eq(people.id, table.ownerId))
      .where(eq(table.fingerprint, fingerprint))
    return rows[0]?.person
  },
  /**
   * Keys that come in at a container's own port: its owner's, then those of guests, each with the moment at which it
   * does so no more. None while the owner is not active.
   */
  async into(containerId: string): Promise<{ type: string; blob: string; expiresAt: Date | null }[]> {
    const columns = (guest: boolean, expiresAt: SQL) => ({
      ...{ type: table.type, blob: table.blob, createdAt: table.createdAt, id: table.id },
      expiresAt: (expiresAt.mapWith(shares.expiresAt) as SQL<Date | null>).as('expires_at'),
      guest: sql`${guest}::boolean`.as('guest'),
    })
    const owner = and(eq(owners.id, containers.ownerId), eq(owners.state, 'active'))
    const own = db
      .select(columns(false, sql`null::timestamptz`))
      .from(containers)
      .innerJoin(owners, owner)
      .innerJoin(table, eq(table.ownerId, owners.id))
      .where(eq(containers.id, containerId))
    const guests = db
      .select(columns(true, sql`${shares.expiresAt}`))
      .from(shares)
      .innerJoin(containers, eq(containers.id, shares.containerId))
      .innerJoin(owners, owner)
      .innerJoin(people, and(eq(people.id, shares.guestId), eq(people.state, 'active')))
      .innerJoin(table, eq(table.ownerId, shares.guestId))
      .where(and(eq(shares.containerId, containerId), eq(shares.level, 'ssh'), gt(shares.expiresAt, sql`now()`)))
    return unionAll(own, guests).orderBy(sql`guest, created_at, id`)
  },
  /** @throws on the unique index `keys_fingerprint` */
  async insert(key: typeof table.$inferInsert): Promise<KeyRow> {
    return (await db.insert(table).values(key).returning())[0]!
  },
  async remove(ownerId: string, id: string): Promise<void> {
    await db.delete(table).where(and(eq(table.ownerId, ownerId), eq(table.id, id)))
  },
  async removeAll(ownerId: string): Promise<void> {
    await db.delete(table).where(eq(table.ownerId, ownerId))
  },
})
