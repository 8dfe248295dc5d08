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
  for (let round = 0; round < 20; round++)
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
  const single = await openPostgres(process.env.URL, 1)
  await single.db.execute(sql\`create table kept (n int)\`)
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  await single.db.transaction(async (tx) => {
    const [{ pid }] = await tx.execute(sql\`select pg_backend_pid() as pid\`)
    await other.db.execute(sql\`select pg_terminate_backend(\${pid})\`)
    await sleep(200)
  }).catch((error) => said.push((error.cause ?? error).code))
  await single.db.transaction(async (tx) => {
    await tx.execute(sql\`insert into kept values (1)\`)
    await sleep(400)
    throw new Error('undone')
  }).catch((error) => said.push(error.message))
  const kept = await single.db.execute(sql\`select * from kept\`)
  console.log(JSON.stringify({ said, rows: rows.flat(), kept }))
  await Promise.all([opened.close(), other.close(), single.close()])
`

test('M03: a connection that is lost in the middle of a transaction is an error of that transaction, and the pool goes on', async () => {
  await using database = await createDatabase()
  const { stdout } = await run(process.execPath, ['--import', './src/preload.ts', '--input-type=module', '-e', lost], {
    cwd: root,
    env: { ...process.env, URL: database.url },
    timeout: 60_000,
  })
  const { said, rows, kept } = JSON.parse(stdout) as { said: string[]; rows: unknown[]; kept: unknown[] }
  expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  expect(said.at(-1)).toBe('undone')
  // The end of the one that was lost is no end of the one that came after it on the same connection.
  expect(kept).toEqual([])
  // The transaction, what was under way in it and the first that it says afterwards; the second is said to nobody.
  const losses = said.slice(0, -1)
  expect(losses).toHaveLength(20 * 3 + 1)
  expect(
    new Set(losses.filter((code) => !['57P01', 'CONNECTION_CLOSED', 'ECONNRESET', 'EPIPE'].includes(code))),
  ).toEqual(new Set())
})
