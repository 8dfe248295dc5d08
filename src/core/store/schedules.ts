import { and, asc, eq, inArray, lte, sql } from 'drizzle-orm'
import type { Db } from './db.ts'
import { containers, operations, people, schedules as table } from './schema/index.ts'

export type ScheduleRow = typeof table.$inferSelect

const whole = { row: table, container: containers.name, owner: people.name }

/** What is done to containers at chosen times. Whether one is due is said by the database's clock. */
export const schedules = (db: Db) => {
  const select = () =>
    db
      .select(whole)
      .from(table)
      .innerJoin(containers, eq(containers.id, table.containerId))
      .innerJoin(people, eq(people.id, table.ownerId))
  return {
    async of(ownerId: string): Promise<(ScheduleRow & { container: string })[]> {
      const rows = await select().where(eq(table.ownerId, ownerId)).orderBy(asc(table.nextAt))
      return rows.map(({ row, container }) => ({ ...row, container }))
    },
    /** Those of members who are suspended or leaving wait. */
    async due(): Promise<(ScheduleRow & { container: string; owner: string; late: number })[]> {
      const late = sql<string>`(extract(epoch from now() - ${table.nextAt}) * 1000)::text`
      const rows = await db
        .select({ ...whole, late })
        .from(table)
        .innerJoin(containers, eq(containers.id, table.containerId))
        .innerJoin(people, eq(people.id, table.ownerId))
        .where(and(lte(table.nextAt, sql`now()`), eq(people.state, 'active')))
        .orderBy(asc(table.nextAt))
        .limit(100)
      return rows.map(({ row, container, owner, late: ms }) => ({ ...row, container, owner, late: Number(ms) }))
    },
    async insert(row: typeof table.$inferInsert): Promise<ScheduleRow> {
      return (await db.insert(table).values(row).returning())[0]!
    },
    /** Moves one on. @returns false when somebody else has, or it is gone */
    async advance(
      row: Pick<ScheduleRow, 'id' | 'nextAt'>,
      nextAt: Date,
      trouble: string | null,
      operationId: string | null = null,
    ): Promise<boolean> {
      const moved = await db
        .update(table)
        .set({ nextAt, trouble, operationId, lastAt: sql`now()` })
        .where(and(eq(table.id, row.id), eq(table.nextAt, row.nextAt)))
        .returning({ id: table.id })
      return moved.length > 0
    },
    /** Those whose run has ended, with its Reply, once: they are told of by whoever gets them. */
    async ended(): Promise<(ScheduleRow & { container: string; reply: unknown })[]> {
      const over = db
        .select({ id: operations.id })
        .from(operations)
        .where(inArray(operations.status, ['done', 'failed']))
      const rows = await select().where(inArray(table.operationId, over)).limit(100)
      const found: (ScheduleRow & { container: string; reply: unknown })[] = []
      for (const { row, container } of rows) {
        const same = and(eq(table.id, row.id), eq(table.operationId, row.operationId!))
        const mine = await db.update(table).set({ operationId: null }).where(same).returning({ id: table.id })
        if (mine.length === 0) continue
        const [operation] = await db.select().from(operations).where(eq(operations.id, row.operationId!))
        found.push({ ...row, container, reply: operation?.reply ?? null })
      }
      return found
    },
    async setTrouble(id: string, trouble: string): Promise<void> {
      await db.update(table).set({ trouble }).where(eq(table.id, id))
    },
    async remove(ownerId: string, id: string): Promise<ScheduleRow | undefined> {
      return (
        await db
          .delete(table)
          .where(and(eq(table.ownerId, ownerId), eq(table.id, id)))
          .returning()
      )[0]
    },
  }
}
