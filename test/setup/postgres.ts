import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'

const script = join(import.meta.dirname, '../../scripts/postgres')

async function ask(action: 'start' | 'stop' | 'remove', folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', [script, action, folder])
  return stdout.trim()
}

async function onServer(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

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
  await onServer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    name,
    [Symbol.asyncDispose]: () => onServer(server, `drop database if exists ${name} with (force)`),
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
