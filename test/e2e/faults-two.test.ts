import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { sharedSocket } from '../setup/engine.ts'
import { createDatabase, query } from '../setup/postgres.ts'
import { type EngineCall, startEngineProxy, type EngineProxy } from '../stand-ins/engine.ts'
import { agree } from './support/agree.ts'
import type { Said } from './support/ask.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import type { Member } from './support/member.ts'

/** Two processes on one PostgreSQL and one engine; what one does the other must not do too. */
let one: Dcm
let two: Dcm
let proxy: EngineProxy
let ada: Member
let chaos = false
let url = ''
const stack = new AsyncDisposableStack()
const sql = (statement: string) => query(url, statement)

/** While there is chaos, three of ten changes are refused by the engine. */
const meddle = (call: EngineCall) => {
  if (chaos && call.method !== 'GET' && call.method !== 'HEAD' && Math.random() < 0.3)
    call.fault = { type: 'status', status: 500 }
}

beforeAll(async () => {
  const database = stack.use(await createDatabase())
  url = database.url
  proxy = stack.use(await startEngineProxy({ upstream: sharedSocket, onCall: meddle }))
  const shared = {
    databaseUrl: url,
    dockerHost: proxy.socket,
    engine: sharedSocket,
    env: { DCM_SECRET_KEY: randomBytes(32).toString('hex') },
  }
  one = stack.use(await startDcm(shared))
  two = stack.use(await startDcm(shared))
  ada = await one.member('ada')
})
afterAll(() => stack.disposeAsync())
afterEach(async () => {
  chaos = false
  await one.settled()
  await agree(one, { others: [two] })
})

/** Says the same to both, in turn. */
const alternate = (at: number) => (at % 2 === 0 ? one : two)
const mine = async (name = 'ada') =>
  (
    await sql(`select c.name from containers c join people p on p.id = c.owner_id where p.name = '${name}' order by 1`)
  ).map((row) => row['name'] as string)
const clear = async (member: Member) => {
  const names = await mine(member.name)
  if (names.length > 0) await member.must(['rm', '-f', ...names])
}
const codes = (all: Said[]) => {
  const found: Record<string, number> = {}
  for (const said of all) found[said.error ?? 'ok'] = (found[said.error ?? 'ok'] ?? 0) + 1
  return found
}
/** Creates of members' containers; DCM's own short-lived ones name no owner. */
const creates = () =>
  proxy
    .calls({ method: 'POST', path: '/containers/create' })
    .filter((call) => (call.body as { Labels: Record<string, string> }).Labels['dcm.owner'])

test('J01 J11 of thirty creates at once through two processes exactly as many succeed as the quota allows', async () => {
  await one.must('quota set ada containers=3 running=20 memory=8g cpus=20 pids=8000 ports=40 images=2')
  proxy.clear()
  const all = await Promise.all(
    Array.from({ length: 30 }, (_, at) =>
      alternate(at).run(`create c${at} --image debian -m 64m`, { token: ada.token }),
    ),
  )
  expect(codes(all)).toEqual({ ok: 3, limited: 27 })
  expect(await mine()).toHaveLength(3)
  expect(creates()).toHaveLength(3)
  const refused = await sql(
    `select count(*)::int as n from audit where command = 'create' and decision = 'refused' and code = 'limited' and actor = 'ada'`,
  )
  expect(refused).toEqual([{ n: 27 }])
  await clear(ada)
  await one.must('quota set ada containers=20')
})

test('J07 J11 the same create twice at once, with one Idempotency-Key, through two processes is one container and one answer', async () => {
  proxy.clear()
  const key = 'a-key-of-ada'
  const all = await Promise.all(
    [0, 1].map((at) =>
      alternate(at).run<{ name: string; port: number }>('create web --image debian -m 64m', { token: ada.token, key }),
    ),
  )
  expect(codes(all)).toEqual({ ok: 2 })
  expect(all[0]!.data).toEqual(all[1]!.data)
  expect(creates()).toHaveLength(1)
  const other = await Promise.all(
    [0, 1].map((at) => alternate(at).run('create twice --image debian -m 64m', { token: ada.token })),
  )
  expect(codes(other)).toEqual({ ok: 1, conflict: 1 })
  expect(creates()).toHaveLength(2)
  expect(await mine()).toEqual(['twice', 'web'])
})

test('J06 the ports of a container are the same after stop and start, a restart, and a restart of DCM', async () => {
  await ada.must('create ports --image debian -m 64m -p 80 -p 81')
  const held = () =>
    sql(
      `select container_port, host_port from ports o join containers c on c.id = o.container_id where c.name = 'ports' order by 1`,
    )
  const before = await held()
  expect(before).toHaveLength(3)
  await ada.must('stop ports')
  await agree(one, { others: [two] })
  await ada.must('start ports')
  await ada.must('restart ports')
  expect(await one.stop()).toBe(0)
  await one.restart()
  expect(await held()).toEqual(before)
  expect(await ada.ssh('ports', 'echo in')).toMatchObject({ stdout: 'in\n' })
  await clear(ada)
})

test('J04 host ports given out at once by two processes are unique, in the range, and outside of what the kernel gives out', async () => {
  const members = await Promise.all(['m1', 'm2', 'm3'].map((name) => one.member(name)))
  for (const member of members) await one.must(`quota set ${member.name} containers=4 running=4 cpus=4 ports=8`)
  const all = await Promise.all(
    members.flatMap((member, at) =>
      Array.from({ length: 3 }, (_, nth) =>
        alternate(at + nth).run(`create c${nth} --image debian -m 64m -p 80 -p 53/udp`, { token: member.token }),
      ),
    ),
  )
  expect(all.filter((said) => said.error)).toEqual([])
  const given = await sql(`select proto, host_port as port from ports where container_id is not null`)
  expect(given).toHaveLength(27)
  expect(new Set(given.map((row) => `${row['proto']} ${row['port']}`)).size).toBe(27)
  for (const row of given) {
    expect(row['port']).toBeGreaterThanOrEqual(20000)
    expect(row['port']).toBeLessThanOrEqual(29999)
  }
  await agree(one, { others: [two] })
  await Promise.all(members.map((member) => one.must(`user rm ${member.name} --images --storage`, { yes: true })))
})

test('J05 a host port that is taken, held by a program of the host or no port at all is refused clearly, and nothing half-made is left', async () => {
  const bob = await one.member('bob')
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  const { port: held } = holder.address() as { port: number }
  try {
    for (const port of [19180, held]) for (const name of ['ada', 'bob']) await one.must(`grant ${name} port:${port}`)
    await bob.must('create has --image debian -m 64m -p 19180:80')
    await bob.must('stop has')
    proxy.clear()
    expect(await ada.run('create a1 --image debian -m 64m -p 19180:80')).toMatchObject({
      error: 'conflict',
      text: expect.stringContaining('19180') as string,
    })
    expect(creates()).toHaveLength(0)
    const busy = await ada.run(`create a2 --image debian -m 64m -p ${held}:80`)
    expect(busy).toMatchObject({ error: 'conflict', text: expect.stringContaining(String(held)) as string })
    proxy.clear()
    for (const wrong of ['0', '65536', '-1', '8080-8090', '٨٠', '８０', '1:0', '99999:80'])
      expect((await ada.run(['create', 'a3', '--image', 'debian', '-p', wrong])).error, wrong).toBe('usage')
    expect(proxy.calls({ method: 'POST' })).toEqual([])
    expect(await mine()).toEqual([])
    expect(
      await sql(`select code, count(*)::int as n from audit where actor = 'ada' and target in ('a1', 'a2') group by 1`),
    ).toEqual([{ code: 'conflict', n: 2 }])
  } finally {
    holder.close()
    await one.must('user rm bob --images --storage', { yes: true })
  }
})

test('J03 of commits at once no more are kept than the quota of images allows', async () => {
  const names = ['s1', 's2', 's3']
  for (const name of names) await ada.must(`create ${name} --image debian -m 64m`)
  const all = await Promise.all(
    names.flatMap((name, at) =>
      [0, 1, 2].map((nth) => alternate(at + nth).run(`commit ${name} shot:${name}-${nth}`, { token: ada.token })),
    ),
  )
  const found = codes(all)
  expect(found['ok']).toBe(2)
  expect(Object.keys(found).filter((code) => !['ok', 'limited', 'conflict'].includes(code))).toEqual([])
  expect(await sql(`select count(*)::int as n from images i join people p on p.id = i.owner_id`)).toEqual([{ n: 2 }])
  await clear(ada)
})

test('J08 fifty pairs of power verbs, commits and removals at once on one container all answer, and leave it in one state', async () => {
  await ada.must('create j8 --image debian -m 64m')
  const verbs = [
    ...['start j8', 'stop j8 -t 1', 'restart j8 -t 1', 'pause j8', 'unpause j8', 'commit j8 shot:j8'],
    ...['rm -f j8', 'create j8 --image debian -m 64m'],
  ]
  const pick = () => verbs[Math.floor(Math.random() * verbs.length)]!
  const answers: Said[] = []
  for (let round = 0; round < 5; round++)
    answers.push(
      ...(await Promise.all(Array.from({ length: 20 }, (_, at) => alternate(at).run(pick(), { token: ada.token })))),
    )
  expect(answers).toHaveLength(100)
  expect(answers.filter((said) => said.status >= 500).map((said) => said.text)).toEqual([])
  await agree(one, { others: [two] })
  await Promise.all([0, 1].map((at) => alternate(at).run('rm -f j8', { token: ada.token })))
  expect(await mine()).toEqual([])
})

test('J02 creates and removals while the engine refuses three of ten changes leave the counts as reality is', async () => {
  chaos = true
  const answers: Said[] = []
  for (let round = 0; round < 6; round++) {
    answers.push(
      ...(await Promise.all(
        [0, 1, 2].map((at) => alternate(at).run(`create q${at} --image debian -m 64m -p 80`, { token: ada.token })),
      )),
    )
    answers.push(...(await Promise.all([0, 1, 2].map((at) => alternate(at).run(`rm -f q${at}`, { token: ada.token })))))
  }
  expect(answers.filter((said) => said.error === 'internal').map((said) => said.text)).toEqual([])
  expect(answers.some((said) => said.error === 'unavailable')).toBe(true)
  chaos = false
  await one.settled()
  await agree(one, { others: [two] })
  await clear(ada)
  expect(
    await sql(`select containers, running, ports from usage u join people p on p.id = u.owner_id where p.name = 'ada'`),
  ).toEqual([{ containers: 0, running: 0, ports: 0 }])
})

test('J11 K01 what a killed process had under way is finished or undone by the other one, once', async () => {
  proxy.rule({
    method: 'POST',
    path: '/containers/create',
    action: { type: 'kill', pid: () => one.pid(), where: 'after' },
  })
  await one.run('create half --image debian -m 64m', { token: ada.token }).catch(() => undefined)
  await two.settled(60)
  const rows = await sql(`select c.state from containers c where c.name = 'half'`)
  expect(rows.length === 0 || rows[0]!['state'] === 'running').toBe(true)
  proxy.clear()
  await one.restart()
})
