import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agree } from './support/agree.ts'
import type { Member } from './support/member.ts'
import { type Isolated, startIsolated } from './support/private.ts'
import { until } from '../setup/until.ts'

const run = promisify(execFile)

let world: Isolated
let ada: Member

const states = async () =>
  Object.fromEntries(
    (await world.sql('select name, state, desired from containers order by name')).map((row) => [
      row['name'],
      `${row['state']}, wanted ${row['desired']}`,
    ]),
  )
const ports = () =>
  world.sql(
    'select c.name, o.container_port, o.host_port from ports o join containers c on c.id = o.container_id order by 1, 2',
  )

/** What each of ada's containers is when nothing is wrong. */
const usual = {
  ended: 'exited, wanted exited',
  frozen: 'paused, wanted paused',
  off: 'exited, wanted exited',
  web: 'running, wanted running',
}

const recovered = async () => {
  await until(
    'everything to be as it is wanted',
    async () => JSON.stringify(await states()) === JSON.stringify(usual),
    45,
  ).catch(async (error: unknown) => {
    expect(await states(), String(error)).toEqual(usual)
  })
  await world.dcm.settled()
  await agree(world.dcm)
  expect(await ada.ssh('web', 'cat /root/mark')).toMatchObject({ code: 0, stdout: 'mine\n' })
}

beforeAll(async () => {
  world = await startIsolated()
  ada = await world.dcm.member('ada')
  await world.dcm.must('quota set ada cpus=8 running=8 containers=8')
  for (const name of ['web -p 80', 'frozen', 'off', 'ended'])
    await ada.must(`create ${name.replace(/^\w+/, '$& --image debian')} -m 64m`)
  await ada.ssh('web', 'echo mine > /root/mark')
  await ada.must('port add web 22')
  await ada.must('port add web 53/udp')
  await ada.must('pause frozen')
  await ada.must('stop off')
  await world.docker('POST', 'ended', '/kill')
})
afterAll(() => world?.[Symbol.asyncDispose]())

test('the firewall holds before DCM answers, also where nothing of it is left, as after a boot', async () => {
  const [program, ...enter] = world.engine.enter
  const iptables = async (...words: string[]) => {
    const { stdout } = await run(program!, [...enter, 'iptables', '-w', '10', ...words])
    return stdout
  }
  const rules = async () => `${await iptables('-S')}\n${await iptables('-t', 'mangle', '-S')}`
  await world.dcm.stop()
  for (const [table, hook, chain] of [
    ['filter', 'INPUT', 'DCM-IN'],
    ['mangle', 'FORWARD', 'DCM-FWD'],
  ] as const) {
    await iptables('-t', table, '-D', hook, '-i', 'dcm+', '-j', chain)
    await iptables('-t', table, '-F', chain)
    await iptables('-t', table, '-X', chain)
  }
  expect(await rules()).not.toContain('DCM-')
  await world.dcm.restart({ unready: true })
  const found = await rules()
  for (const rule of [
    'INPUT -i dcm+ -j DCM-IN',
    'FORWARD -i dcm+ -j DCM-FWD',
    'DCM-FWD -o dcm+ -j DROP',
    'DCM-IN -j DROP',
  ])
    expect(found).toContain(`-A ${rule}`)
  await world.dcm.settled()
})

test('a container that ends by itself is accepted as ended, and its end is written down', async () => {
  await recovered()
  const rows = await world.sql(`select target, command from audit where surface = 'system' and target = 'ada/ended'`)
  expect(rows).toContainEqual({ target: 'ada/ended', command: 'exited' })
})

test('a container that ended by itself while DCM was down stays ended', async () => {
  await ada.must('start ended')
  expect(await world.dcm.stop()).toBe(0)
  await world.docker('POST', 'ended', '/kill')
  await world.dcm.restart()
  await recovered()
})

test('L03 after a SIGTERM restart of the engine all that was wanted running runs, on the same ports, and the paused is paused', async () => {
  const before = await ports()
  await world.engine.stop()
  await until('the loss to be seen', async () => !(await world.dcm.ready()).ready, 30)
  const told = await ada.must('ps')
  expect(told.text).toContain('may be old')
  await world.engine.start()
  await recovered()
  expect(await ports()).toEqual(before)
})

test('L04 after kill -9 of the engine the same holds', async () => {
  const before = await ports()
  await world.engine.kill9()
  await world.engine.start()
  await recovered()
  expect(await ports()).toEqual(before)
})

test('L04 a container that was lost to the engine while DCM was down too is started again', async () => {
  const before = await ports()
  await world.dcm.kill9()
  await world.engine.kill9()
  await world.engine.start()
  await world.dcm.restart()
  await recovered()
  expect(await ports()).toEqual(before)
})

test('L01 DCM starts without an engine, says so, and recovers by itself when the engine comes', async () => {
  expect(await world.dcm.stop()).toBe(0)
  await world.engine.stop()
  await world.dcm.restart({ unready: true })
  // It was heard of a moment ago, by the life before.
  const problems = await until('it to be told', async () => {
    const now = (await world.dcm.ready()).problems
    return now.length > 0 && now
  })
  expect(problems).toEqual(['Docker does not answer.'])
  const list = await ada.must('ps')
  expect(list.text).toContain('may be old')
  const refused = await ada.run('create new --image debian', { wait: 1 })
  expect(refused.error ?? refused.operation?.state).toMatch(/unavailable|running/)
  await world.engine.start()
  await world.dcm.settled()
  await ada.run('rm -f new')
  await recovered()
})

test('L02 while the engine is frozen a list answers at once and says that it may be old; what was asked for is done when it thaws', async () => {
  await world.engine.freeze()
  try {
    await until(
      'the list to say that it may be old',
      async () => (await ada.must('ps')).text.includes('may be old'),
      40,
    )
    const asked = await ada.run('restart web', { wait: 1 })
    expect(asked.operation?.state).toBe('running')
    expect((await ada.must('ps')).data).toHaveLength(4)
  } finally {
    world.engine.thaw()
  }
  await recovered()
})
