import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/pglite'
import { type Opened, openEmbedded } from '../../src/core/store/open.ts'
import * as schema from '../../src/core/store/schema/index.ts'

const root = join(import.meta.dirname, '../..')

/** What the copy is made of: it is made anew when one of them changes. */
function kept(as: string): string {
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', ...globSync('drizzle/**/*.{sql,json}', { cwd: root }).sort()])
    hash.update(readFileSync(join(root, file)))
  return join(root, 'node_modules/.cache/dcm', `${hash.digest('hex').slice(0, 16)}-${as}`)
}

/** One with the schema of today, from a copy that was made once: to make and migrate one takes seconds of a processor. */
async function load(): Promise<Opened> {
  const file = kept('memory.tar')
  if (!existsSync(file)) {
    const made = await openEmbedded(undefined)
    const copy = Buffer.from(await (await made.dump!()).arrayBuffer())
    await made.close()
    mkdirSync(join(file, '..'), { recursive: true })
    // Several test files may come at once: whoever is last is right as well.
    writeFileSync(`${file}.${process.pid}`, copy)
    renameSync(`${file}.${process.pid}`, file)
  }
  return openEmbedded(undefined, new Blob([readFileSync(file)]))
}

type Asking = { query(...args: unknown[]): Promise<unknown>; transaction(...args: unknown[]): Promise<unknown> }

/** Those that nobody uses any more, emptied: the next test file of this process takes one of them. */
const unused: Opened[] = []

const everything = `do $$ begin execute (
  select 'truncate ' || string_agg(quote_ident(tablename), ', ') || ' restart identity cascade' from pg_tables where schemaname = 'public'
); end $$`

/** An embedded database in memory, empty, with the schema of today. Whoever still asks it once it is closed gets an error. */
export async function openMemory(): Promise<Opened> {
  const opened = unused.pop() ?? (await load())
  const { $client } = opened.db as unknown as { $client: Asking }
  let closed = false
  const whileOpen =
    (work: Asking['query']): Asking['query'] =>
    async (...args) => {
      if (closed) throw new Error('This database is closed.')
      return work(...args)
    }
  const client = { query: whileOpen($client.query), transaction: whileOpen($client.transaction) }
  const db = drizzle(client as never, { schema }) as unknown as Opened['db']
  return {
    kind: 'embedded',
    db,
    renew: async () => db,
    async close() {
      if (closed) return
      closed = true
      await opened.db.execute(everything)
      unused.push(opened)
    },
  }
}

/** Puts an embedded database with the schema of today into a data folder that has none. */
export async function placeDatabase(dataDir: string): Promise<void> {
  const made = kept('database')
  if (!existsSync(made)) {
    const folder = `${made}.${process.pid}`
    await (await openEmbedded(folder)).close()
    // Whoever was there first has made the same.
    try {
      renameSync(folder, made)
    } catch {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await cp(made, join(dataDir, 'database'), { recursive: true })
}
