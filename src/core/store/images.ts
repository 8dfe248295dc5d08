import { and, asc, eq, isNull, or, sql } from 'drizzle-orm'
import type { Image } from '../model/image.ts'
import type { Db } from './db.ts'
import { images as table, usage } from './schema/index.ts'

/** Images: those the admins offer (no owner) and members' own. */
export const images = (db: Db) => ({
  /** What a member could create from: the offered and their own. */
  async visible(ownerId: string): Promise<Image[]> {
    return db
      .select()
      .from(table)
      .where(or(isNull(table.ownerId), eq(table.ownerId, ownerId)))
      .orderBy(sql`${table.ownerId} nulls first`, asc(table.ref))
  },
  async of(ownerId: string): Promise<Image[]> {
    return db.select().from(table).where(eq(table.ownerId, ownerId)).orderBy(asc(table.ref))
  },
  async offered(): Promise<Image[]> {
    return db.select().from(table).where(isNull(table.ownerId)).orderBy(asc(table.ref))
  },
  async byId(id: string): Promise<Image | undefined> {
    return (await db.select().from(table).where(eq(table.id, id)))[0]
  },
  async byRef(ownerId: string | null, ref: string): Promise<Image | undefined> {
    const whose = ownerId === null ? isNull(table.ownerId) : eq(table.ownerId, ownerId)
    return (
      await db
        .select()
        .from(table)
        .where(and(whose, eq(table.ref, ref)))
    )[0]
  },
  async all(): Promise<Image[]> {
    return db.select().from(table)
  },
  /** @throws on the unique index `images_ref` and on `usage_images` */
  async insert(image: typeof table.$inferInsert): Promise<void> {
    await db.insert(table).values(image)
  },
  async update(id: string, changes: Partial<typeof table.$inferInsert>): Promise<void> {
    await db.update(table).set(changes).where(eq(table.id, id))
  },
  /** Its size counts no more from here on, not from the next measuring. */
  async remove(id: string): Promise<void> {
    const [gone] = await db.delete(table).where(eq(table.id, id)).returning()
    if (!gone?.ownerId) return
    const disk = sql`greatest(0, ${usage.disk} - ${gone.size})`
    await db.update(usage).set({ disk }).where(eq(usage.ownerId, gone.ownerId))
  },
  /** Bytes in a member's own images. Layers that images share are counted for each: the quota is not a discount. */
  async bytes(ownerId: string): Promise<number> {
    const [row] = await db
      .select({ sum: sql<string>`coalesce(sum(${table.size}), 0)` })
      .from(table)
      .where(eq(table.ownerId, ownerId))
    return Number(row?.sum ?? 0)
  },
})
