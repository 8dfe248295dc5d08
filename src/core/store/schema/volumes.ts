import { boolean, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { createdAt } from './columns.ts'
import { hostId } from './hosts.ts'
import { owner } from './people.ts'

/** Members' own volumes. `leaving`: its folder is being removed, so nothing can mount it any more. */
export const volumes = pgTable(
  'volumes',
  {
    id: text('id').primaryKey(),
    ownerId: owner().notNull(),
    hostId: hostId(),
    name: text('name').notNull(),
    leaving: boolean('leaving').notNull().default(false),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex('volumes_name').on(table.ownerId, table.name)],
)
