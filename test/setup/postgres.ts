import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import postgres, { type Row } from 'postgres'

const script = join(import.meta.dirname, '../../scripts/postgres')

async function ask(action: 'start' | 'stop' | 'remove', folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', [script, action, folder])
  return stdout.trim()
}

/** Asks a database past DCM, one statement after the other. @returns the rows of each */
export async function queries(url: string, statements: readonly string[]): Promise<Row[][]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => undefined })
  try {
    return await Promise.all(statements.map(async (statement) => [...(await sql.unsafe(statement))]))
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Asks a database past DCM. */
export const query = async (url: string, statement: string): Promise<Row[]> => (await queries(url, [statement]))[0]!

/** An empty database of its own; dropped, with every connection to it, when the test is done with it. */
export type TestDatabase = AsyncDisposable & { url: string; name: string }

/**
 * Makes an empty database on a server.
 * @param server the superuser's URL; the server that `npm test` or `scripts/postgres run` started when absent
 */
export async function createDatabase(server = process.env['DCM_TEST_DATABASE_URL']): Promise<TestDatabase> {
  if (!server)
    throw new Error('No PostgreSQL for tests: run "npm test", or "scripts/postgres run npx vitest --project store".')
  const name = `dcm_${randomBytes(6).toString('hex')}`
  await query(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    name,
    [Symbol.asyncDispose]: async () => void (await query(server, `drop database if exists ${name} with (force)`)),
  }
}

/** A PostgreSQL server of a test's own, which it may stop and start again; port, password and data stay. */
export type TestServer = AsyncDisposable & {
  url: string
  /** Ends it at once, as a crash would: every connection is cut. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Starts a PostgreSQL server for a test that takes it away and gives it back. */
export async function startPostgres(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'dcm-test-postgres-'))
  const url = await ask('start', folder)
  return {
    url,
    stop: async () => void (await ask('stop', folder)),
    start: async () => void (await ask('start', folder)),
    [Symbol.asyncDispose]: async () => void (await ask('remove', folder)),
  }
}
