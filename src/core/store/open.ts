import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { Sql, TransactionSql } from 'postgres'
import type { Db } from './db.ts'
import { loadDriver } from './driver.ts'
import * as schema from './schema/index.ts'

/** An open database: `db` is good until `renew` or `close`. */
export type Opened = {
  kind: 'postgres' | 'embedded'
  db: Db
  /** Leaves connections that do not answer behind and dials anew. */
  renew(): Promise<Db>
  close(): Promise<void>
  /** All of an embedded database, for `openEmbedded` to begin with. */
  dump?(): Promise<Blob>
}

const migrations = join(import.meta.dirname, '../../../drizzle')

/** drizzle leaves statements unprepared: each call is then described, parsed and planned anew, in two round trips. */
function prepared<T extends Pick<Sql, 'unsafe'>>(client: T): T {
  const unsafe = client.unsafe.bind(client)
  client.unsafe = ((query: string, params?: never[], options?: object) =>
    unsafe(query, params, { ...options, prepare: query.length < 4096 })) as Sql['unsafe']
  return client
}

/** Connects to PostgreSQL and brings its schema up to date. Two processes may do so at once. */
export async function openPostgres(url: string, pool = 10): Promise<Opened> {
  const postgres = await loadDriver()
  const { drizzle } = await import('drizzle-orm/postgres-js')
  const { migrate } = await import('drizzle-orm/postgres-js/migrator')
  const connect = (max: number) => {
    const client = postgres(url, {
      max,
      connect_timeout: 5,
      idle_timeout: 60,
      onnotice: () => undefined,
      connection: { application_name: 'dcm', statement_timeout: 15_000, idle_in_transaction_session_timeout: 30_000 },
    })
    const begin = client.begin.bind(client) as (work: (inside: TransactionSql) => unknown) => Promise<unknown>
    client.begin = ((work: (inside: TransactionSql) => unknown) =>
      begin((inside) => work(prepared(inside)))) as typeof client.begin
    return prepared(client)
  }
  // drizzle's migrator takes no lock; a session lock on a connection of its own keeps two first starts apart.
  const alone = connect(1)
  try {
    await alone`select pg_advisory_lock(7236717)`
    await migrate(drizzle(alone), { migrationsFolder: migrations })
    await alone`select pg_advisory_unlock(7236717)`
  } finally {
    await alone.end({ timeout: 1 })
  }
  let client = connect(pool)
  return {
    kind: 'postgres',
    db: drizzle(client, { schema }),
    async renew() {
      const old = client
      client = connect(pool)
      void old.end({ timeout: 1 }).catch(() => undefined)
      return drizzle(client, { schema })
    },
    close: () => client.end({ timeout: 5 }),
  }
}

/**
 * Opens the embedded database in `folder`, or in memory when there is none. One process only: the caller holds the
 * lock on the data folder. It survives a killed process, not a power cut (PGlite runs without fsync).
 * @param from what `dump` of another one gave, to begin with instead of an empty one
 */
export async function openEmbedded(folder: string | undefined, from?: Blob): Promise<Opened> {
  const { PGlite } = await import('@electric-sql/pglite')
  const { drizzle } = await import('drizzle-orm/pglite')
  const { migrate } = await import('drizzle-orm/pglite/migrator')
  if (folder) await mkdir(folder, { recursive: true, mode: 0o700 })
  const client = await PGlite.create({
    ...(folder ? { dataDir: folder } : {}),
    ...(from ? { loadDataDir: from } : {}),
    startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=8MB'],
  })
  giveWay(client)
  const db = drizzle(client, { schema })
  await migrate(db, { migrationsFolder: migrations })
  await db.execute(sql`select 1`)
  return {
    kind: 'embedded',
    db,
    renew: async () => db,
    close: () => client.close(),
    dump: () => client.dumpDataDir('none'),
  }
}

/** How long statements may follow each other before whatever else this process does has its turn. */
const turn = 5

/**
 * The embedded database runs in this very process, and a queue of its statements, each begun by the end of the one
 * before, would keep everything else from its turn: requests would not even be read. So after a while the next one waits
 * for a round of the event loop.
 */
function giveWay(client: { query: unknown; transaction: unknown }): void {
  let [last, tail]: [number, Promise<unknown>] = [performance.now(), Promise.resolve()]
  const others = () =>
    new Promise<void>((resolve) =>
      setImmediate(() => {
        last = performance.now()
        resolve()
      }),
    )
  const inLine =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      const mine = tail.then(async () => {
        if (performance.now() - last > turn) await others()
        return work(...args)
      })
      tail = mine.catch(() => undefined)
      return mine
    }
  for (const name of ['query', 'transaction'] as const)
    client[name] = inLine((client[name] as (...args: unknown[]) => Promise<unknown>).bind(client))
}
