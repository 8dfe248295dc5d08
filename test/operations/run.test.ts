import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createRunner } from '../../src/core/operation/runner.ts'
import { operations } from '../../src/operations/index.ts'
import { createWorld, type World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(alice, line)
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** The engine's container of a job, once it runs. */
async function started(): Promise<string> {
  const running = async () => (await world.host.engine.list()).find((one) => one.state === 'running')
  return (await until('a job to start', running)).engineId
}

/** Nothing is left of a job: no container, no row, no share of the quota. */
async function nothing() {
  expect(await world.host.engine.list()).toEqual([])
  expect(await world.store.containers.of(alice.id)).toEqual([])
  expect(await world.store.people.usage(alice.id)).toMatchObject({ containers: 0, running: 0, memory: 0, pids: 0 })
  expect((await world.host.files.list()).runs).toEqual([])
}

describe('run', () => {
  test('waits for the end, tells output and exit code, and leaves nothing', async () => {
    const running = say('run debian --name tests -m 64m -e A=b -- make test')
    const engineId = await started()
    expect(world.host.fake.wish(engineId)).toMatchObject({
      command: ['make', 'test'],
      env: ['A=b'],
      ssh: false,
      ports: [],
      restart: { name: 'no' },
      name: 'tests',
    })
    expect(await say('stop tests')).toMatchObject({
      error: 'conflict',
      text: 'tests is running its job, which kill ends; try again when that has ended.',
    })
    world.host.fake.write(engineId, 'all \u001b[31mgreen\u001b[0m\n')
    world.host.fake.exit(engineId, 0)
    expect(await running).toMatchObject({
      tone: 'ok',
      text: 'make in debian:latest ended with exit code 0.',
      code: 'all green',
      data: { name: 'tests', exit_code: 0, timed_out: false, output: 'all green\n', cut: false },
    })
    await nothing()
  })

  test('is on the networks that are named, from before it begins until it is gone', async () => {
    for (const name of ['back', 'front']) await say(`network create ${name}`)
    const engine = async (called: string) =>
      (await world.store.networks.allOf(alice.id, 'local')).find((row) => row.called === called)!.name
    const from = world.host.fake.calls.length
    const running = say('run debian --name tests --network back --network front -- make test')
    const engineId = await started()
    expect((await world.host.engine.inspect(engineId)).networks).toEqual([await engine('back'), await engine('front')])
    const order = world.host.fake.calls.slice(from).map((call) => call.method)
    expect(order.indexOf('engine.alias')).toBeLessThan(order.indexOf('engine.start'))
    expect(await say('network rm front')).toMatchObject({
      error: 'conflict',
      text: 'On front there is tests; disconnect or remove that first.',
    })
    world.host.fake.exit(engineId, 0)
    expect((await running).error).toBeUndefined()
    await nothing()
    for (const name of ['back', 'front']) expect((await say(`network rm ${name}`)).error).toBeUndefined()
  })

  test('one that cannot join leaves nothing', async () => {
    await say('network create back')
    await say('network create front')
    world.host.fake.fail('engine.alias', 'refused')
    expect((await say('run debian --network back --network front -- true')).error).toBe('conflict')
    await nothing()
    for (const name of ['back', 'front']) expect((await say(`network rm ${name}`)).error).toBeUndefined()
  })

  test.each([
    ['kill tests', () => alice, 'alice'],
    ['rm -f tests', () => alice, 'alice'],
    ['kill tests --as alice', () => world.admin, 'admin'],
  ])('%s ends it, which says by whom, and leaves nothing', async (line, who, by) => {
    const running = say('run debian --name tests -- sleep 1000')
    await started()
    const { reply, rows } = await world.tell(who(), line)
    expect(reply).toMatchObject({ tone: 'ok', text: 'tests was ended, and nothing of it is left.' })
    expect(reply.data).toMatchObject({ name: 'tests' })
    expect(await running).toMatchObject({ error: 'conflict', text: `tests was ended by ${by}.` })
    expect(rows.filter((row) => row.actor === by).map((row) => row.decision)).toContain('done')
    await nothing()
  })

  test('nobody else ends it, and what no job is in is killed as ever', async () => {
    const bob = await world.member('bob')
    const running = say('run debian --name tests -- sleep 1000')
    const engineId = await started()
    for (const line of ['kill alice/tests', 'rm -f alice/tests'])
      expect((await world.say(bob, line)).error).toBe('not_found')
    world.host.fake.exit(engineId, 0)
    expect((await running).error).toBeUndefined()
    await nothing()
  })

  test('fails when what it runs fails', async () => {
    const running = say('run debian -- false')
    world.host.fake.exit(await started(), 3)
    expect(await running).toMatchObject({
      error: 'conflict',
      text: 'false in debian:latest ended with exit code 3.',
      data: { exit_code: 3 },
      operation: { state: 'done' },
    })
    await nothing()
  })

  test('is stopped when it takes too long', async () => {
    expect(await say('run debian --timeout 1s -- sleep 9')).toMatchObject({
      error: 'conflict',
      text: 'sleep did not end within 1s and was stopped.',
      data: { exit_code: null, timed_out: true },
    })
    await nothing()
  })

  test('of a flood beginning and end are kept', async () => {
    const running = say('run debian -- yes')
    const engineId = await started()
    world.host.fake.write(engineId, 'BEGIN\n')
    for (let at = 0; at < 300; at++) world.host.fake.write(engineId, 'x'.repeat(1023) + '\n')
    world.host.fake.write(engineId, 'END\n')
    world.host.fake.exit(engineId, 0)
    const { data } = (await running) as { data: { output: string; cut: boolean } }
    expect(data.cut).toBe(true)
    expect(data.output).toMatch(/^BEGIN\n[\s\S]*bytes are left out[\s\S]*END\n$/)
    expect(data.output.length).toBeLessThan(66 * 1024)
    await nothing()
  })

  test('removed in Docker: told, and nothing is left', async () => {
    const running = say('run debian -- sleep 9')
    world.host.fake.lose(await started())
    expect(await running).toMatchObject({
      error: 'conflict',
      text: expect.stringContaining('was removed in Docker') as string,
    })
    await nothing()
  })

  test.each(['engine.create', 'engine.start', 'engine.createNetwork'] as const)(
    'Docker refuses at %s: told, and nothing is left',
    async (method) => {
      world.host.fake.fail(method, 'refused')
      expect((await say('run debian -- true')).error).toBe('conflict')
      await nothing()
    },
  )

  test.each([
    ['run debian', 'usage'],
    ['run debian --timeout 2h -- true', 'usage'],
    ['run nothing -- true', 'not_found'],
    ['run debian --network back -- true', 'not_found'],
    ['run debian --network host -- true', 'usage'],
    ['run debian -m 900g -- true', 'limited'],
  ])('%s is refused', async (line, code) => {
    expect((await say(line)).error).toBe(code)
    await nothing()
  })

  test('goes on in another life of DCM, and is not run again', async () => {
    const mine = createRunner({ works: world.works, operations, holder: 'dying.1', log: quiet })
    const asker = {
      ownerId: alice.id,
      actorId: alice.id,
      actorName: 'alice',
      asName: null,
      ...{ surface: 'http', address: null, fingerprint: null },
      command: 'run',
      target: 'debian',
      requestId: 'r1',
    }
    const image = (await world.store.images.byRef(null, 'debian:latest'))!
    const id = await mine.begin(
      'run',
      {
        ownerId: alice.id,
        imageId: image.id,
        imageRef: image.ref,
        name: null,
        limits: { memory: 2 ** 26, cpus: 100, pids: 32 },
        env: [],
        command: ['true'],
        lives: 60_000,
      },
      asker,
    )
    const engineId = await started()
    const starts = () => world.host.fake.calls.filter((call) => call.method === 'engine.start').length
    const before = starts()
    await mine.stop(10)
    world.host.fake.exit(engineId, 0)
    await world.store.operations.abandon('dying.')
    await world.runner.resume()
    expect((await world.runner.wait(id, { wait: 20_000 }))!.reply).toMatchObject({ tone: 'ok', data: { exit_code: 0 } })
    expect(starts()).toBe(before)
    await nothing()
  })
})

describe('exec', () => {
  beforeAll(async () => {
    expect((await say('create web --image debian')).error).toBeUndefined()
  })

  test('runs the words as they are, in a folder, and tells how it ended', async () => {
    let asked: string[] = []
    world.host.fake.programs(async function* (wish) {
      asked = wish.argv
      yield { stream: 'stdout', data: Buffer.from('one\n') }
      yield { stream: 'stderr', data: Buffer.from('two\u0007\n') }
      return 0
    })
    expect(await say(`exec web -w /srv -- echo "a b" '$(id)' ';'`)).toMatchObject({
      tone: 'ok',
      text: 'echo in web ended with exit code 0.',
      data: { exit_code: 0, output: 'one\ntwo\\u0007\n' },
    })
    expect(asked.slice(0, 2)).toEqual(['/bin/sh', '-c'])
    expect(asked.slice(4)).toEqual(['/srv', 'echo', 'a b', '$(id)', ';'])
  })

  test.each([
    ['left out', Buffer.alloc(70_000, 'x'), { cut: true, changed: null }],
    ['no text', Buffer.from([0x89, 0x50, 0xff, 0x0a]), { cut: false, changed: 'bytes' }],
    ['no text', Buffer.from('a\u0000b'), { cut: false, changed: 'bytes' }],
  ])('says that what it printed is %s, and what gives all of it', async (says, data, how) => {
    world.host.fake.programs(async function* () {
      yield { stream: 'stdout', data }
      return 0
    })
    const reply = await say('exec web -- cat')
    expect(reply).toMatchObject({ tone: 'warn', data: { ...how, exit_code: 0 } })
    expect(reply.text).toMatch(new RegExp(`${says}.*; ssh -p \\d+ \\S+@\\S+ -- … gives`))
  })

  test('text loses what acts on a terminal, which is no loss of text', async () => {
    world.host.fake.programs(async function* () {
      yield { stream: 'stdout', data: Buffer.from('10%\r\u001b[32m100%\u001b[0m\r\n') }
      return 0
    })
    expect(await say('exec web -- apt')).toMatchObject({
      tone: 'ok',
      text: 'apt in web ended with exit code 0.',
      data: { output: '10%\\u000d100%\n', changed: 'marks' },
    })
  })

  test('fails when it fails', async () => {
    world.host.fake.programs(async function* () {
      yield* []
      return 7
    })
    expect(await say('exec web -- false')).toMatchObject({
      error: 'conflict',
      text: 'false in web ended with exit code 7.',
      data: { exit_code: 7 },
    })
  })

  test('is killed when it takes too long', async () => {
    const programs: string[][] = []
    const over = Promise.withResolvers<void>()
    world.host.fake.programs(async function* (wish) {
      programs.push(wish.argv)
      yield* []
      if (wish.argv.at(-1) === 'KILL') over.resolve()
      else await over.promise
      return 137
    })
    expect(await say('exec web --timeout 1s -- sleep 9')).toMatchObject({
      error: 'conflict',
      text: 'sleep did not end within 1s in web and was killed.',
      data: { timed_out: true, exit_code: null },
    })
    expect(programs).toHaveLength(2)
  })

  test('is run once at most: what was cut off is told, and not done again', async () => {
    let times = 0
    world.host.fake.programs(async function* () {
      times++
      yield* []
      return 0
    })
    world.host.fake.fail('engine.exec', 'down', { after: true })
    expect(await say('exec web -- touch /x')).toMatchObject({
      error: 'conflict',
      text: expect.stringContaining('outcome is not known') as string,
    })
    expect(times).toBeLessThanOrEqual(1)
  })

  test('at most twenty of one member at a time', async () => {
    const over = Promise.withResolvers<void>()
    world.host.fake.programs(async function* () {
      yield* []
      await over.promise
      return 0
    })
    const running = Array.from({ length: 20 }, () => say('exec web -- sleep 9'))
    await expect.poll(() => world.store.operations.openBy(alice.id, 'exec')).toBe(20)
    expect(await say('exec web -- true')).toMatchObject({
      error: 'limited',
      text: 'You run 20 programs already; let some of them end first.',
    })
    over.resolve()
    for (const reply of await Promise.all(running)) expect(reply.error).toBeUndefined()
  })

  test.each([
    ['exec web', 'usage'],
    ['exec web --timeout 2h -- true', 'usage'],
    ['exec wob -- true', 'not_found'],
  ])('%s is refused', async (line, code) => {
    expect((await say(line)).error).toBe(code)
  })

  test('not in one that is paused or does not run', async () => {
    await say('pause web')
    expect(await say('exec web -- true')).toMatchObject({
      error: 'conflict',
      text: 'web is paused, so nothing can run inside it until it goes on.',
      actions: [{ line: 'unpause web' }],
    })
    await say('unpause web')
    await say('stop web')
    expect(await say('exec web -- true')).toMatchObject({ error: 'conflict', actions: [{ line: 'start web' }] })
  })
})
