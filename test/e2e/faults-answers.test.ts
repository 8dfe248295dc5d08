import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ask, sharedSocket } from '../setup/engine.ts'
import { createDatabase, query, type TestDatabase } from '../setup/postgres.ts'
import { type EngineProxy, type Fault, type Match, startEngineProxy } from '../stand-ins/engine.ts'
import { agree } from './support/agree.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import type { Member } from './support/member.ts'
import { until } from '../setup/until.ts'

let database: TestDatabase
let proxy: EngineProxy
let dcm: Dcm
let ada: Member
const stack = new AsyncDisposableStack()
const row = async (name: string) =>
  (await query(database.url, `select engine_id, state, desired from containers where name = '${name}'`))[0]

beforeAll(async () => {
  database = stack.use(await createDatabase())
  proxy = stack.use(await startEngineProxy({ upstream: sharedSocket }))
  dcm = stack.use(await startDcm({ databaseUrl: database.url, dockerHost: proxy.socket, engine: sharedSocket }))
  ada = await dcm.member('ada')
  await ada.must('create web --image debian -m 64m')
})
afterAll(() => stack.disposeAsync())
afterEach(async () => {
  proxy.clear()
  await dcm.settled()
  await agree(dcm)
})

test('L05 what happened while the event stream was cut is known after it is back', async () => {
  proxy.rule({ path: '/events', action: { type: 'reset' }, times: 3 })
  proxy.cut()
  await ask(sharedSocket, 'POST', `/containers/${(await row('web'))!['engine_id']}/stop?t=1`)
  await until('the end to be known', async () => (await row('web'))!['state'] === 'exited', 30)
  expect((await row('web'))!['desired']).toBe('exited')
  await ada.must('start web')
})

test('L05 an event stream that hangs is given up and asked for anew', async () => {
  proxy.clear()
  proxy.rule({ path: '/events', action: { type: 'hang' } })
  proxy.cut()
  await proxy.seen({ path: '/events' })
  await ask(sharedSocket, 'POST', `/containers/${(await row('web'))!['engine_id']}/pause`)
  // Nobody in DCM asked for a pause, so it is taken back.
  await until(
    'it to run again',
    async () => {
      const { State } = await ask<{ State: { Status: string } }>(
        sharedSocket,
        'GET',
        `/containers/${(await row('web'))!['engine_id']}/json`,
      )
      return State.Status === 'running'
    },
    40,
  )
})

test('L05 after more events than the engine remembers a full listing tells how things are', async () => {
  const id = (await row('web'))!['engine_id'] as string
  proxy.rule({ path: '/events', action: { type: 'reset' }, times: 10_000 })
  proxy.cut()
  // Each is two events; the engine keeps the last 256.
  for (let at = 0; at < 140; at++)
    for (const verb of ['pause', 'unpause'])
      await ask(sharedSocket, 'POST', `/containers/${id}/${verb}`).catch(() => undefined)
  await ask(sharedSocket, 'POST', `/containers/${id}/stop?t=1`)
  proxy.clear()
  await until('the end to be known', async () => (await row('web'))!['state'] === 'exited', 30)
  expect((await row('web'))!['desired']).toBe('exited')
  await agree(dcm)
  await ada.must('start web')
})

const calls: Match[] = [
  { method: 'POST', path: '/containers/create' },
  { method: 'POST', path: '/containers/*/start' },
  { method: 'GET', path: '/containers/*/json' },
]
const answers: Record<string, Fault> = {
  '404': { type: 'status', status: 404, body: { message: 'No such container' } },
  '409': { type: 'status', status: 409, body: { message: 'Conflict' } },
  'port is already allocated': {
    type: 'status',
    status: 500,
    body: { message: 'driver failed: Bind for 127.0.0.1:1 failed: port is already allocated' },
  },
  'an HTML page': { type: 'status', status: 200, body: '<html>Bad gateway</html>' },
  null: { type: 'status', status: 200, body: null },
  'an unknown state': { type: 'status', status: 200, body: { Id: 'x', State: { Status: 'dreaming' } } },
  'half an answer': { type: 'truncate', bytes: 10 },
}

for (const [name, action] of Object.entries(answers))
  test(`L06 L08 create ends well or in a clear refusal when a call is answered with ${name}`, async () => {
    for (const match of calls) {
      // The body of a start's answer is not read: a false success there is a container whose SSH never answers.
      if ('status' in action && action.status === 200 && match.path === '/containers/*/start') continue
      proxy.clear()
      proxy.rule({ ...match, action })
      const said = await ada.run('create odd --image debian -m 64m')
      expect(said.error ?? 'none', said.text).toMatch(/^(none|unavailable|conflict)$/)
      proxy.clear()
      await dcm.settled()
      await agree(dcm)
      await ada.run('rm -f odd')
    }
    expect(await ada.ssh('web', 'echo in')).toMatchObject({ stdout: 'in\n' })
  })

test('L06 a forwarder whose runtime ended before its program began is started once more', async () => {
  proxy.clear()
  const body = { message: 'cannot start a stopped process: unknown' }
  proxy.rule({ method: 'POST', path: '/containers/*/start', action: { type: 'status', status: 500, body } })
  await ada.must('port add web 8080')
  expect(proxy.calls({ method: 'POST', path: '/containers/*/start' }).map((call) => call.status)).toEqual([500, 204])
  await ada.must('port rm web 8080')
})

test('L07 while the engine is slow with everything, and hangs for long over a commit, who does not need it is answered', async () => {
  await ada.must('create side --image debian -m 64m')
  proxy.clear()
  proxy.rule({ method: 'POST', path: '/commit', action: { type: 'delay', ms: 6000 } })
  proxy.rule({ action: { type: 'delay', ms: 500 }, times: 10_000 })
  let saved = false
  const commit = ada.run('commit side slow:v1').finally(() => (saved = true))
  await proxy.seen({ method: 'POST', path: '/commit' })
  const looks = Array.from({ length: 40 }, () => ada.run('top web'))
  await proxy.seen({ path: '/containers/*/top' })
  for (let at = 0; at < 20; at++) expect(await ada.must<unknown[]>('ps')).toMatchObject({ data: [{}, {}] })
  expect(saved).toBe(false)
  for (const look of await Promise.all(looks)) expect(look.error ?? 'none', look.text).toMatch(/^(none|limited)$/)
  // All of the connections to the engine are free again.
  expect((await ada.must('create late --image debian -m 64m')).text).toContain('late')
  expect((await commit).error, (await commit).text).toBeUndefined()
  proxy.clear()
  await ada.must('rm -f side late')
  await ada.must('rmi -f slow:v1')
})
