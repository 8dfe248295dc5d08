import { index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Quota } from '../../model/quota.ts'
import { at, createdAt } from './columns.ts'
import { people } from './people.ts'

/** What holds for several members together stands between the site's rules and a member's own. */
export const groups = pgTable(
  'groups',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    quota: jsonb('quota').$type<Partial<Quota>>().notNull().default({}),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex('groups_name').on(table.name)],
)

const group = () =>
  text('group_id')
    .notNull()
    .references(() => groups.id, { onDelete: 'cascade' })

export const memberships = pgTable(
  'memberships',
  {
    groupId: group(),
    personId: text('person_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.personId] }), index('memberships_person').on(table.personId)],
)

export const groupGrants = pgTable(
  'group_grants',
  {
    groupId: group(),
    thing: text('thing').notNull(),
    expiresAt: at('expires_at'),
    grantedBy: text('granted_by').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.thing] })],
)
