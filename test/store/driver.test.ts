import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createDatabase } from '../setup/postgres.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/** In a process of its own: what is looked for ends a process. */
const lost = `
  import { sql } from 'drizzle-orm'
  import { openPostgres } from './src/core/store/open.ts'
  const [opened, other] = [await openPostgres(process.env.URL, 2), await openPostgres(process.env.URL, 1)]
  const said = []
  for (let round = 0; round < 5; round++)
    await opened.db.transaction(async (tx) => {
      const [{ pid }] = await tx.execute(sql\`select pg_backend_pid() as pid\`)
      const busy = tx.execute(sql\`select pg_sleep(60)\`).catch((error) => said.push(error.cause.code))
      await other.db.execute(sql\`select pg_terminate_backend(\${pid})\`)
      await busy
      await tx.execute(sql\`select 1\`).catch((error) => said.push(error.cause.code))
      await new Promise((resolve) => setTimeout(resolve, 50))
      await tx.execute(sql\`select 1\`)
    }).catch((error) => said.push((error.cause ?? error).code))
  const rows = await Promise.all([1, 2, 3].map((n) => opened.db.execute(sql\`select \${n}::int as n\`)))
  console.log(JSON.stringify({ said, rows: rows.flat() }))
  await Promise.all([opened.close(), other.close()])
`

test('M03: a connection that is lost in the middle of a transaction is an error of that transaction, and the pool goes on', async () => {
  await using database = await createDatabase()
  const { stdout } = await run(process.execPath, ['--import', './src/preload.ts', '--input-type=module', '-e', lost], {
    cwd: root,
    env: { ...process.env, URL: database.url },
    timeout: 60_000,
  })
  const { said, rows } = JSON.parse(stdout) as { said: string[]; rows: unknown[] }
  expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  // The transaction fails as soon as its connection does; what it still says afterwards fails beside the next one.
  expect(said.length).toBeGreaterThanOrEqual(5)
  expect(new Set(said.filter((code) => !['57P01', 'CONNECTION_CLOSED'].includes(code)))).toEqual(new Set())
})
