import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedSocket } from '../setup/engine.ts'
import { query, startPostgres, type TestServer } from '../setup/postgres.ts'
import { type EngineProxy, startEngineProxy } from '../stand-ins/engine.ts'
import { createLink, type Link } from '../stand-ins/tcp.ts'
import { agree } from './support/agree.ts'
import type { Said } from './support/ask.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import type { Member } from './support/member.ts'
import { until } from '../setup/until.ts'

/** A DCM whose database can be taken away, and whose link to it can be stalled and cut. */
let server: TestServer
let link: Link
let proxy: EngineProxy
let dcm: Dcm
let ada: Member
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  server = stack.use(await startPostgres())
  await query(server.url, 'create database dcm')
  const direct = new URL(server.url)
  direct.pathname = '/dcm'
  link = stack.use(await createLink(Number(direct.port)))
  const through = new URL(direct)
  through.port = String(link.port)
  proxy = stack.use(await startEngineProxy({ upstream: sharedSocket }))
  dcm = stack.use(
    await startDcm({
      databaseUrl: direct.href,
      env: { DATABASE_URL: through.href },
      dockerHost: proxy.socket,
      engine: sharedSocket,
    }),
  )
  ada = await dcm.member('ada')
  await dcm.must('quota set ada containers=20 running=20 cpus=20 memory=8g pids=8000 ports=40 images=10')
  await ada.must('create web --image debian -m 64m -p 80')
})
afterAll(() => stack.disposeAsync())
afterEach(async () => {
  await server.start()
  link.flow()
  await dcm.settled()
  await agree(dcm)
})

const changes = () => proxy.calls().filter((call) => call.method !== 'GET' && call.method !== 'HEAD')
const back = () => until('the database to be back for DCM', async () => (await dcm.ready()).ready, 40)

test('M01 while the database is away every command says so and the engine is asked to change nothing; afterwards all goes on', async () => {
  await server.stop()
  proxy.clear()
  for (const line of ['ps', 'create lost --image debian', 'stop web', 'rm -f web', 'commit web shot', 'user add eve']) {
    const said = await dcm.run(line)
    expect(said, line).toMatchObject({
      error: 'unavailable',
      status: 503,
      text: expect.stringContaining('try again') as string,
    })
  }
  expect((await dcm.ready()).problems).toContain('The database does not answer.')
  expect(changes()).toEqual([])
  await server.start()
  await back()
  await ada.must('create found --image debian -m 64m')
  expect(await ada.ssh('found', 'echo in')).toMatchObject({ stdout: 'in\n' })
})

test('M01 DCM that starts while the database is away waits for it, says so, and then serves', async () => {
  expect(await dcm.stop()).toBe(0)
  await server.stop()
  const restarted = dcm.restart()
  await until(
    'DCM to say that it waits',
    async () => (await dcm.logs()).includes('The database does not answer yet'),
    30,
  )
  await server.start()
  await restarted
  await dcm.settled()
  expect((await ada.must<unknown[]>('ps')).data).toHaveLength(2)
})

test('M01 a create that loses its database on the way is finished or undone once the database is back', async () => {
  const met = proxy.seen({ method: 'POST', path: '/containers/*/start' })
  proxy.clear()
  const asked = ada.run('create half --image debian -m 64m').catch(() => undefined)
  await Promise.race([met, proxy.seen({ method: 'POST', path: '/containers/create' })])
  await server.stop()
  await sleep(2000)
  await server.start()
  await asked
  await back()
  await dcm.settled()
  const rows = await query(dcm.databaseUrl!, `select state from containers where name = 'half'`)
  expect(rows.length === 0 || rows[0]!['state'] === 'running').toBe(true)
  const again = await ada.run('create half --image debian -m 64m')
  expect(again.error ?? 'conflict').toBe('conflict')
})

/** Members at work: each creates, stops, starts and removes containers of their own. Refusals are answers too. */
async function work(rounds: number, name: string): Promise<Said[]> {
  const answers: Said[] = []
  for (let round = 0; round < rounds; round++)
    for (const line of [
      `create ${name} --image debian -m 64m -p 80`,
      `stop ${name} -t 1`,
      `start ${name}`,
      `rm -f ${name}`,
    ])
      answers.push(await ada.run(line))
  return answers
}

test('M02 a link to the database that stalls and is cut under load makes nothing happen twice, and the pool recovers', async () => {
  const busy = ['w1', 'w2', 'w3'].map((name) => work(3, name))
  for (let round = 0; round < 4; round++) {
    await sleep(700)
    link.stall()
    await sleep(400)
    link.flow()
    await sleep(300)
    link.cut()
  }
  const answers = (await Promise.all(busy)).flat()
  expect(answers.filter((said) => said.error === 'internal').map((said) => said.text)).toEqual([])
  await back()
  await dcm.settled()
  await agree(dcm)
  await ada.must('restart web')
})

test('M03 kill -9 of the database under load leaves engine and database in agreement', async () => {
  const busy = ['k1', 'k2', 'k3'].map((name) => work(3, name))
  for (let round = 0; round < 2; round++) {
    await sleep(1200)
    await server.stop()
    await sleep(300)
    await server.start()
  }
  const answers = (await Promise.all(busy)).flat()
  expect(answers.filter((said) => said.error === 'internal').map((said) => said.text)).toEqual([])
  await back()
  await dcm.settled()
  await agree(dcm)
  const done = await query(dcm.databaseUrl!, `select id, status from operations where status = 'done'`)
  const told = await query(
    dcm.databaseUrl!,
    `select operation_id from audit where decision = 'done' and operation_id is not null`,
  )
  // Every operation that was done is in the audit log, once.
  expect(told.map((row) => row['operation_id'] as string).toSorted()).toEqual(
    done.map((row) => row['id'] as string).toSorted(),
  )
})
