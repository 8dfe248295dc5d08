import { pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { createdAt } from './columns.ts'
import { people } from './people.ts'

/** Registries that admins allow: `docker.io`, or HOST[:PORT] exactly as it stands in an image's name. */
export const registries = pgTable('registries', {
  host: text('host').primaryKey(),
  addedBy: text('added_by').notNull(),
  createdAt: createdAt(),
})

/** How members log in there; the credential is sealed for this row and never shown. Gone with the registry or the member. */
export const registryLogins = pgTable(
  'registry_logins',
  {
    ownerId: text('owner_id')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    registry: text('registry')
      .notNull()
      .references(() => registries.host, { onDelete: 'cascade' }),
    username: text('username').notNull(),
    sealed: text('sealed').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.registry] })],
)
