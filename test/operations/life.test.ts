import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FakeMethod } from '../stand-ins/host/fake.ts'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(alice!, line)
const must = async (line: string) => {
  const reply = await say(line)
  expect(reply.error, `${line}: ${reply.text}`).toBeUndefined()
  return reply
}
/** What the member has, in the database and on the host: both empty when nothing is left over. */
const left = async () => ({
  rows: (await world.store.containers.of(alice!.id)).map((one) => one.name),
  ports: (await world.store.ports.taken('local', 'tcp')).size - held,
  engine: (await world.host.engine.list()).length,
  runs: (await world.host.files.list()).runs.length,
  open: await world.store.operations.countOpen(),
  used: (await world.store.people.usage(alice!.id))!.containers,
})
/** Ports that were found held by something else, and are left alone for a while. */
let held = 0
const nothing = { rows: [], ports: 0, engine: 0, runs: 0, open: 0, used: 0 }

describe('create takes everything back when it fails', () => {
  const steps: FakeMethod[] = [
    'engine.createNetwork',
    'files.ensureStorage',
    'files.placeRun',
    'engine.create',
    'engine.start',
    'net.greet',
  ]

  test.each(
    steps.flatMap(
      (step) =>
        [
          [step, 'before'],
          [step, 'after'],
        ] as const,
    ),
  )('%s, its answer lost %s it was done', async (step, when) => {
    world.host.fake.fail(step, 'refused', { after: when === 'after' })
    const { reply, rows } = await world.tell(alice!, 'create web --image debian -p 80')
    expect(reply).toMatchObject({ error: 'conflict', operation: { state: 'failed' } })
    expect(rows).toMatchObject([{ decision: 'failed', code: 'conflict', target: 'web' }])
    expect(await left()).toEqual(nothing)
  })

  test('and a link that was lost for a moment is waited for', async () => {
    for (const step of steps) world.host.fake.fail(step, 'down', { after: true })
    await must('create web --image debian -p 80')
    expect(await left()).toMatchObject({ rows: ['web'], ports: 2, engine: 1, runs: 1, open: 0, used: 1 })
    await must('rm -f web')
    expect(await left()).toEqual(nothing)
  })

  test('an sshd that does not answer is told, with the end of the log', async () => {
    world.host.fake.setGreeting('it cannot be reached')
    expect((await say('create web --image debian')).text).toMatch(/^web started but its SSH server does not answer/)
    world.host.fake.setGreeting(null)
    expect(await left()).toEqual(nothing)
  })

  test('a port that something else holds is exchanged for another, and left alone', async () => {
    const go = world.host.fake.hold('engine.create')
    const creating = say('create web --image debian')
    await expect.poll(async () => (await world.store.containers.of(alice!.id)).length).toBe(1)
    const [first] = (await world.container(alice!, 'web')).ports
    world.host.fake.occupy(first!.host)
    go()
    expect((await creating).error).toBeUndefined()
    const [now] = (await world.container(alice!, 'web')).ports
    expect(now!.host).not.toBe(first!.host)
    held += 1
    expect(await world.store.ports.taken('local', 'tcp')).toEqual(new Set([first!.host, now!.host]))
    await must('rm -f web')
    expect(await left()).toEqual(nothing)
  })
})

describe('what only one may do at a time', () => {
  test('a second change of the same container is refused with what is being done, and the first one ends', async () => {
    await must('create web --image debian')
    const go = world.host.fake.hold('engine.stop')
    const stopping = say('stop web')
    await expect.poll(() => world.store.operations.countOpen()).toBe(1)
    expect((await say('rm -f web')).text).toBe('web is being stopped; try again when that has ended.')
    expect((await say('rm -f web --dry-run')).text).toBe('web is being stopped; try again when that has ended.')
    go()
    expect((await stopping).error).toBeUndefined()
    await must('rm -f web')
  })
})

describe('power', () => {
  test('what is wanted is stored with what is, for each verb', async () => {
    await must('create web --image debian')
    for (const [line, state, desired] of [
      ['stop web', 'exited', 'exited'],
      ['stop web', 'exited', 'exited'],
      ['start web', 'running', 'running'],
      ['start web', 'running', 'running'],
      ['pause web', 'paused', 'paused'],
      ['pause web', 'paused', 'paused'],
      ['unpause web', 'running', 'running'],
      ['pause web', 'paused', 'paused'],
      ['restart web', 'running', 'running'],
      ['pause web', 'paused', 'paused'],
      ['stop web', 'exited', 'exited'],
    ] as const) {
      await must(line)
      expect(await world.container(alice!, 'web'), line).toMatchObject({ state, desired })
      expect((await world.host.engine.inspect((await world.container(alice!, 'web')).engineId!)).state, line).toBe(
        state,
      )
    }
  })

  test('a start that fails gives its share back', async () => {
    const before = (await world.store.people.usage(alice!.id))!
    world.host.fake.fail('engine.start', 'refused')
    expect((await say('start web')).error).toBe('conflict')
    expect((await world.store.people.usage(alice!.id))!).toMatchObject({
      running: before.running,
      memory: before.memory,
    })
    expect(await world.container(alice!, 'web')).toMatchObject({ desired: 'exited' })
  })

  test('what somebody took away in Docker is told, and can be removed', async () => {
    world.host.fake.lose((await world.container(alice!, 'web')).engineId!)
    expect((await say('start web')).error).toBe('conflict')
    await must('rm -f web')
    expect(await left()).toEqual(nothing)
  })
})

describe('commit', () => {
  test('one that fails leaves neither image nor tag, and the older one stays', async () => {
    await must('create web --image debian')
    await must('commit web web:v1')
    const before = await world.host.engine.imageTags()
    for (const after of [false, true]) {
      world.host.fake.fail('engine.commit', 'full', { after })
      expect(await say('commit web web:v1')).toMatchObject({ error: 'unavailable' })
      expect(await world.host.engine.imageTags()).toEqual(before)
    }
    expect((await world.store.images.of(alice!.id)).map((image) => image.ref)).toEqual(['web:v1'])
    expect(await world.container(alice!, 'web')).toMatchObject({ state: 'running' })
    await must('rm -f web')
    await must('rmi -f web:v1')
  })
})

test('nothing is left over at the end, and nothing broke unseen', async () => {
  expect(await left()).toEqual(nothing)
  expect(world.logged.filter(({ level }) => level === 'error')).toEqual([])
})
