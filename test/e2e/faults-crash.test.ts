import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, sharedSocket } from '../setup/engine.ts'
import { createDatabase, query, type TestDatabase } from '../setup/postgres.ts'
import { type EngineProxy, startEngineProxy } from '../stand-ins/engine.ts'
import { agree } from './support/agree.ts'
import { lookAt } from './support/engine.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import type { Member } from './support/member.ts'
import { until } from '../setup/until.ts'

let database: TestDatabase
let proxy: EngineProxy
let dcm: Dcm
let ada: Member
const stack = new AsyncDisposableStack()
const sql = (statement: string) => query(database.url, statement)

beforeAll(async () => {
  database = stack.use(await createDatabase())
  proxy = stack.use(await startEngineProxy({ upstream: sharedSocket }))
  dcm = stack.use(await startDcm({ databaseUrl: database.url, dockerHost: proxy.socket, engine: sharedSocket }))
  ada = await dcm.member('ada')
  await dcm.must('quota set ada containers=20 running=20 cpus=20 memory=8g pids=8000 ports=40 images=10')
  await ada.must('create web --image debian -m 64m -p 80')
})
afterAll(() => stack.disposeAsync())
afterEach(() => proxy.clear())

const one = async (name: string) =>
  (await sql(`select engine_id, engine_name, state, desired from containers where name = '${name}'`))[0]
const wanted = (name: string, state: string, desired: string) =>
  until(
    `${name} to be ${state}`,
    async () => {
      const row = await one(name)
      return row?.['state'] === state && row['desired'] === desired
    },
    40,
  )
const found = (what: string) =>
  sql(`select detail from audit where surface = 'system' and command = '${what}' and target = 'ada/web'`)

test('K07 SIGTERM takes no more, hands over the commit that is under way and exits 0; the next start finishes it', async () => {
  proxy.rule({ method: 'POST', path: '/commit', action: { type: 'delay', ms: 60_000, where: 'before' } })
  const asked = ada.run('commit web shot:k07', { wait: 100 }).catch(() => undefined)
  await proxy.seen({ method: 'POST', path: '/commit' })
  const stopping = dcm.stop()
  await until(
    'new calls to be refused',
    () =>
      ada.run('create late --image debian').then(
        (said) => said.error === 'unavailable',
        () => true,
      ),
    20,
  )
  expect(await stopping).toBe(0)
  await asked
  expect(await one('late')).toBeUndefined()
  expect(await sql(`select status from operations where kind = 'commit'`)).toEqual([{ status: 'open' }])
  proxy.clear()
  await dcm.restart()
  expect(await sql(`select ref from images where owner_id is not null`)).toEqual([{ ref: 'shot:k07' }])
  await agree(dcm)
})

test('K11 a container that somebody stops in Docker is accepted as stopped, and that is written down', async () => {
  await ask(sharedSocket, 'POST', `/containers/${(await one('web'))!['engine_id']}/stop?t=1`)
  await wanted('web', 'exited', 'exited')
  expect(await found('exited')).toHaveLength(1)
  await agree(dcm)
})

test('K11 one that somebody starts in Docker though it is not wanted running is stopped, and that is written down', async () => {
  await ask(sharedSocket, 'POST', `/containers/${(await one('web'))!['engine_id']}/start`)
  await until('it to be stopped', async () => (await found('stopped')).length > 0, 40)
  await wanted('web', 'exited', 'exited')
  await agree(dcm)
})

test('K11 one that somebody renames in Docker goes on being the member’s, and rm removes it', async () => {
  await ada.must('create named --image debian -m 64m')
  const { engine_id: id } = (await one('named'))!
  await ask(sharedSocket, 'POST', `/containers/${id}/rename?name=dcm-someone-${Date.now()}`)
  await ada.must('restart named')
  expect(await ada.ssh('named', 'echo in')).toMatchObject({ stdout: 'in\n' })
  await ada.must('rm -f named')
  await agree(dcm)
})

test('K11 one that somebody removes in Docker is shown as missing, written down, and rm frees its name and ports', async () => {
  await ada.must('start web')
  await ask(sharedSocket, 'DELETE', `/containers/${(await one('web'))!['engine_id']}?force=1`)
  await wanted('web', 'missing', 'exited')
  expect(await found('missing')).toHaveLength(1)
  const shown = await ada.must('ps')
  expect(JSON.stringify(shown.table)).toContain('Missing')
  expect(await ada.run('start web')).toMatchObject({ error: 'conflict' })
  await ada.must('rm -f web')
  await ada.must('create web --image debian -m 64m -p 80')
  await agree(dcm)
})

test('K11 one that somebody makes by hand with DCM’s labels is told of and left alone', async () => {
  const [image] = await sql('select engine_id from images where owner_id is null')
  const [person] = await sql(`select id from people where name = 'ada'`)
  const { Id } = await ask<{ Id: string }>(
    sharedSocket,
    'POST',
    `/containers/create?name=dcm-${dcm.instance()}-byhand`,
    {
      Image: image!['engine_id'] as string,
      Labels: { 'dcm.instance': dcm.instance(), 'dcm.owner': person!['id'] as string, 'dcm.id': 'byhand' },
    },
  )
  try {
    await dcm.kill9()
    await dcm.restart()
    await until('it to be told of', async () => (await dcm.logs()).includes('byhand'), 20)
    const doctor = await dcm.must('doctor')
    expect(JSON.stringify(doctor.data)).toContain('byhand')
    expect((await ada.must<{ name: string }[]>('ps')).data.map((row) => row.name)).toEqual(['web'])
    expect((await lookAt(sharedSocket, dcm.instance())).containers.map((row) => row.Id)).toContain(Id)
  } finally {
    await ask(sharedSocket, 'DELETE', `/containers/${Id}?force=1`)
  }
  await agree(dcm)
})

test('K08 killed at eight random moments under the load of three members, DCM leaves engine and database in agreement', async () => {
  const members = await Promise.all(['k1', 'k2', 'k3'].map((name) => dcm.member(name)))
  let over = false
  const busy = members.map(async (member, at) => {
    const lines = [
      'create a --image debian -m 64m -p 80',
      'stop a -t 1',
      'start a',
      'pause a',
      'commit a shot',
      'unpause a',
      'rm -f a',
      'create b --image debian -m 64m',
      'restart b -t 1',
      'rm -f b',
    ]
    for (let turn = at; !over; turn++) {
      const answered = await member.run(lines[turn % lines.length]!).then(
        () => true,
        () => false,
      )
      if (!answered) await sleep(100)
    }
  })
  try {
    for (let kill = 0; kill < 8; kill++) {
      await sleep(Math.random() * 1500)
      await dcm.kill9()
      await dcm.restart({ unready: true })
    }
  } finally {
    over = true
  }
  await Promise.all(busy)
  await dcm.settled()
  await agree(dcm)
  for (const member of members) await dcm.must(`user rm ${member.name} --images --storage`, { yes: true })
  await agree(dcm)
  const twice = await sql(
    'select operation_id from audit where operation_id is not null group by 1 having count(*) > 1',
  )
  expect(twice).toEqual([])
})

test('M07 over a database that was restored from earlier, what is newer in Docker is told of and left alone, and what it has lost is shown as missing', async () => {
  await ada.must('create old --image debian -m 64m')
  await dcm.stop()
  const url = new URL(database.url)
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  await query(url.href, `create database ${name}_backup template ${name}`)
  await dcm.restart()
  await ada.must('rm -f old')
  await ada.must('create newer --image debian -m 64m')
  const { engine_id: id, engine_name: strange } = (await one('newer'))!
  await dcm.stop()
  await query(url.href, `drop database ${name} with (force)`)
  await query(url.href, `alter database ${name}_backup rename to ${name}`)
  await dcm.restart()
  await wanted('old', 'missing', 'exited')
  await until('the newer one to be told of', async () => (await dcm.logs()).includes(strange as string), 20)
  const still = await lookAt(sharedSocket, dcm.instance())
  expect(still.containers.find((row) => row.Id === id)?.State.Status).toBe('running')
  expect(await sql(`select count(*)::int as n from audit where command = 'missing' and target = 'ada/old'`)).toEqual([
    { n: 1 },
  ])
  await ask(sharedSocket, 'DELETE', `/containers/${id}?force=1`)
  await ada.must('rm -f old')
})
