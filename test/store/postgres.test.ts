import postgres from 'postgres'
import { expect, test } from 'vitest'
import { createDatabase, query, startPostgres } from '../setup/postgres.ts'

test('each test gets an empty database of its own, which goes even while it is in use', async () => {
  await using first = await createDatabase()
  let name: string
  {
    await using second = await createDatabase()
    name = second.name
    await query(second.url, 'create table thing (id int)')
    const busy = postgres(second.url, { max: 1, onnotice: () => {} })
    await busy`select 1`
    void busy`select pg_sleep(60)`.catch(() => {})
    void busy.end({ timeout: 1 }).catch(() => {})
  }
  expect(await query(first.url, `select from pg_database where datname = '${name}'`)).toHaveLength(0)
  expect(await query(first.url, `select from pg_tables where tablename = 'thing'`)).toHaveLength(0)
})

test('a server that a test takes away comes back at the same place with its data', async () => {
  await using server = await startPostgres()
  await query(server.url, 'create table kept as select 7 as value')
  await server.stop()
  await expect(query(server.url, 'select 1')).rejects.toThrow(/ECONNREFUSED/)
  await server.start()
  expect(await query(server.url, 'select value from kept')).toEqual([{ value: 7 }])
})
