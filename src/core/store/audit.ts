import { and, desc, eq, gte, inArray, lt, or, sql } from 'drizzle-orm'
import type { Person } from '../model/person.ts'
import type { Db } from './db.ts'
import { audit as table, operations } from './schema/index.ts'

export type AuditEntry = typeof table.$inferInsert
export type AuditRecord = typeof table.$inferSelect

/** The audit log: rows are added, read, and dropped when they are very old; none is changed but a `begun` one, once. */
export const audit = (db: Db) => ({
  async add(entry: AuditEntry): Promise<void> {
    await db.insert(table).values(entry)
  },
  /** Adds one, which says `begun` when it is to be ended. @returns its id, for `end` */
  async begin(entry: AuditEntry): Promise<number> {
    const [row] = await db.insert(table).values(entry).returning({ id: table.id })
    return row!.id
  },
  /** Says how what was begun ended. */
  async end(id: number, { decision, code, detail }: Pick<AuditEntry, 'decision' | 'code' | 'detail'>): Promise<void> {
    await db
      .update(table)
      .set({ decision, code, detail })
      .where(and(eq(table.id, id), eq(table.decision, 'begun')))
  },
  /** Newest first. */
  async read(filter: { name?: string | undefined; since?: Date | undefined; limit: number }): Promise<AuditRecord[]> {
    return db
      .select()
      .from(table)
      .where(
        and(
          filter.name === undefined ? undefined : or(eq(table.actor, filter.name), eq(table.as, filter.name)),
          filter.since === undefined ? undefined : gte(table.at, filter.since),
        ),
      )
      .orderBy(desc(table.id))
      .limit(filter.limit)
  },
  /**
   * What happened to a member's things, newest first: operations on what is theirs, whoever began them, what they did at
   * once, and what was seen of their containers. A name's earlier owner is another person, so nothing is older than they are.
   */
  async happened(filter: {
    person: Pick<Person, 'id' | 'name' | 'createdAt'>
    /** Of one container alone: by its name since it is there, what these commands did to it and what was seen of it. */
    container?: { name: string; createdAt: Date; commands: readonly string[] } | undefined
    since?: Date | undefined
    limit: number
  }): Promise<AuditRecord[]> {
    const { person, container, since } = filter
    const began = sql`exists (select 1 from ${operations} where ${operations.id} = ${table.operationId} and ${operations.ownerId} = ${person.id})`
    const own = and(eq(table.actorId, person.id), sql`${table.operationId} is null`, sql`${table.as} is null`)
    const found = and(eq(table.surface, 'system'), sql`starts_with(${table.target}, ${`${person.name}/`})`)
    const about =
      container &&
      and(
        gte(table.at, container.createdAt),
        or(eq(table.surface, 'system'), inArray(table.command, [...container.commands])),
        or(
          inArray(table.target, [container.name, `${person.name}/${container.name}`]),
          sql`starts_with(${table.target}, ${`${container.name} `})`,
        ),
      )
    const from = since && since > person.createdAt ? since : person.createdAt
    return db
      .select()
      .from(table)
      .where(and(gte(table.at, from), inArray(table.decision, ['done', 'failed']), or(began, own, found), about))
      .orderBy(desc(table.id))
      .limit(filter.limit)
  },
  async dropBefore(at: Date): Promise<void> {
    await db.delete(table).where(lt(table.at, at))
  },
})
