import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Intent, Intents } from '../../src/core/command/intents.ts'
import type { Host } from '../../src/core/host/host.ts'
import type { Container } from '../../src/core/model/container.ts'
import type { Person } from '../../src/core/model/person.ts'
import { sealAhead } from '../../src/core/containers/secrets.ts'
import { createRunner } from '../../src/core/operation/runner.ts'
import { operations } from '../../src/operations/index.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  await world.say(alice, 'create base --image debian')
  await world.say(alice, 'commit base web:v2')
  await world.say(alice, 'rm -f base')
})
afterAll(() => world[Symbol.asyncDispose]())

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const changing = [
  ...['create', 'start', 'stop', 'pause', 'remove', 'exec', 'placeRun', 'removeRun'],
  ...['commit', 'createNetwork', 'removeNetwork', 'alias', 'leave', 'forward', 'unforward'],
]
type Death = { at: number; side: 'before' | 'after' }

/** A host whose caller dies at its `at`-th call that changes something: that call never comes back, nor does any after it. */
function dying({ at, side }: Death, died: () => void): Host {
  let count = 0
  let dead = false
  const never = new Promise<never>(() => {})
  const wrap = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
        if (!changing.includes(String(name))) return (...args: unknown[]) => (dead ? never : method.apply(target, args))
        return async (...args: unknown[]) => {
          if (dead) return never
          count++
          if (count === at && side === 'before') return ((dead = true), died(), never)
          const result = await method.apply(target, args)
          if (count === at) return ((dead = true), died(), never)
          return result
        }
      },
    })
  const { host } = world
  return { id: host.id, engine: wrap(host.engine), files: wrap(host.files), net: wrap(host.net) }
}

let lives = 0
/** Begins an operation in a life that ends at one call, and lets the next life end it. @returns its reply, and whether that life died */
async function live<K extends Intent>(kind: K, input: Intents[K], death: Death) {
  const holder = `dying${++lives}.1`
  const died = Promise.withResolvers<void>()
  const works = { ...world.works, host: () => dying(death, died.resolve) }
  // One proxy for the whole life: the count is of its calls.
  const one = works.host()
  const runner = createRunner({ works: { ...works, host: () => one }, operations, holder, log: quiet })
  const asker = {
    ownerId: alice.id,
    actorId: alice.id,
    actorName: 'alice',
    asName: null,
    ...{ surface: 'http', address: null, fingerprint: null },
    command: kind,
    target: 'web',
    requestId: `crash-${lives}`,
  }
  const id = await runner.begin(kind, input, asker)
  const ended = runner.wait(id, { wait: 20_000 }).then((outcome) => outcome!)
  const first = await Promise.race([died.promise.then(() => 'died' as const), ended])
  if (first !== 'died') return { dead: false, outcome: first }
  await runner.stop(0)
  await world.store.operations.abandon(`${holder.split('.')[0]}.`)
  await world.runner.resume()
  return { dead: true, outcome: (await world.runner.wait(id, { wait: 20_000 }))! }
}

let before: Container
async function fresh(): Promise<void> {
  world.host.fake.setGreeting(null)
  await world.say(alice, 'rm -f web')
  expect((await world.say(alice, 'create web --image debian -p 80')).error).toBeUndefined()
  before = await world.container(alice, 'web')
}

async function wish(): Promise<Intents['recreate']> {
  const image = (await world.store.images.byRef(alice.id, 'web:v2'))!
  return {
    containerId: before.id,
    imageId: image.id,
    imageRef: image.ref,
    spec: before.spec,
    ports: [
      { container: 443, proto: 'tcp' },
      { container: 53, proto: 'udp' },
    ],
    health: null,
    seconds: 1,
  }
}

/** One container, the row's own, with all that the row says, and nothing under way. */
async function whole(state: string): Promise<Container> {
  const now = await world.container(alice, 'web')
  const list = await world.host.engine.list()
  expect(list.map((seen) => [seen.engineName, seen.engineId, seen.state])).toEqual([
    [now.engineName, now.engineId, state],
  ])
  expect(now).toMatchObject({ state, desired: state, fingerprint: before.fingerprint })
  const told = world.host.fake.wish(now.engineId!)!
  const sorted = (ports: { container: number; proto: string; host: number }[]) =>
    ports.map(({ container, proto, host }) => `${host}:${container}/${proto}`).toSorted()
  expect(sorted(told.ports)).toEqual(sorted(now.ports))
  expect(await world.store.operations.countOpen()).toBe(0)
  const { ports, running } = (await world.store.people.usage(alice.id))!
  expect({ ports, running }).toEqual({ ports: now.ports.length - 1, running: 1 })
  return now
}

/** Dies at each call in turn, until a life has none left to die at. */
async function each(turn: (death: Death) => Promise<boolean>): Promise<number> {
  for (let at = 1; at < 40; at++)
    for (const side of ['before', 'after'] as const) if (!(await turn({ at, side }))) return at - 1
  throw new Error('it never ends')
}

describe('K01 a process that dies at any call that changes something leaves one container, the old or the new', () => {
  test('one that comes up is the new one', async () => {
    const calls = await each(async (death) => {
      await fresh()
      const { dead, outcome } = await live('recreate', await wish(), death)
      expect(outcome, JSON.stringify(death)).toMatchObject({ state: 'done' })
      const now = await whole('running')
      expect(now.imageRef, JSON.stringify(death)).toBe('web:v2')
      expect(now.ports.map((port) => port.container).toSorted((a, b) => a - b)).toEqual([22, 53, 443])
      return dead
    })
    expect(calls).toBeGreaterThan(5)
  })

  test('one that does not come up is the old one', async () => {
    const calls = await each(async (death) => {
      await fresh()
      const input = await wish()
      world.host.fake.setGreeting('nobody answers')
      const { dead, outcome } = await live('recreate', input, death)
      expect(outcome, JSON.stringify(death)).toMatchObject({ state: 'failed', reply: { error: 'conflict' } })
      expect(await whole('running'), JSON.stringify(death)).toMatchObject({
        imageRef: 'debian:latest',
        engineId: before.engineId,
        ports: before.ports,
      })
      return dead
    })
    expect(calls).toBeGreaterThan(5)
  })
})

describe('K01 a copy has all that its source has, or is not there', () => {
  const forwards = async () => (await world.host.engine.forwards()).map((one) => one.target)
  const more = async () => {
    await fresh()
    for (const line of ['network connect back web', 'port add web 8080', 'port add web 53/udp --for 1d'])
      expect((await world.say(alice, line)).error, line).toBeUndefined()
  }
  const gone = async () => {
    for (const line of ['rm -f copy', 'rmi copy:clone --yes']) await world.say(alice, line)
    expect(await forwards()).toEqual([before.engineName, before.engineName])
  }
  beforeAll(async () => void (await world.say(alice, 'network create back')))
  afterAll(async () => {
    for (const line of ['rm -f web', 'network rm back'])
      expect((await world.say(alice, line)).error, line).toBeUndefined()
  })

  test('whenever the process dies', async () => {
    await more()
    const calls = await each(async (death) => {
      const input = { containerId: before.id, ownerId: alice.id, name: 'copy' }
      const { dead, outcome } = await live('clone', input, death)
      expect(outcome, JSON.stringify(death)).toMatchObject({ state: 'done' })
      const copy = await world.container(alice, 'copy')
      expect(copy).toMatchObject({ state: 'running', added: [{ container: 53 }, { container: 8080 }] })
      expect((await forwards()).toSorted(), JSON.stringify(death)).toEqual(
        [before, before, copy, copy].map((one) => one.engineName).toSorted(),
      )
      const seen = await world.host.engine.inspect(copy.engineId!)
      expect(seen.networks, JSON.stringify(death)).toContain(copy.joined[0]!.engineName)
      expect(await world.host.engine.list()).toHaveLength(2)
      await gone()
      return dead
    })
    expect(calls).toBeGreaterThan(5)
  })

  test('whenever it dies before a port cannot be opened', async () => {
    await more()
    const calls = await each(async (death) => {
      world.host.fake.fail('engine.forward', 'refused')
      const input = { containerId: before.id, ownerId: alice.id, name: 'copy' }
      const { dead, outcome } = await live('clone', input, death)
      expect(outcome, JSON.stringify(death)).toMatchObject({ state: 'failed', reply: { error: 'conflict' } })
      expect((await world.store.containers.of(alice.id)).map((one) => one.name)).toEqual(['web'])
      expect(await world.host.engine.list()).toHaveLength(1)
      expect((await world.store.images.of(alice.id)).map((one) => one.ref)).toEqual(['web:v2'])
      expect((await world.store.people.usage(alice.id))!.ports).toBe(3)
      await gone()
      return dead
    })
    expect(calls).toBeGreaterThan(5)
  })
})

describe('K01 a job runs once, and leaves nothing', () => {
  test('whenever the process dies', async () => {
    await world.say(alice, 'rm -f web')
    const image = (await world.store.images.byRef(null, 'debian:latest'))!
    const input: Intents['run'] = {
      ownerId: alice.id,
      imageId: image.id,
      imageRef: image.ref,
      name: null,
      limits: { memory: 2 ** 26, cpus: 100, pids: 32 },
      env: [],
      command: ['true'],
      lives: 60_000,
    }
    const calls = await each(async (death) => {
      const from = world.host.fake.calls.length
      let over = false
      const ending = (async () => {
        while (!over) {
          for (const seen of await world.host.engine.list())
            if (seen.state === 'running') world.host.fake.exit(seen.engineId, 0)
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      })()
      const { dead, outcome } = await live('run', input, death)
      over = true
      await ending
      expect(outcome.reply, JSON.stringify(death)).toMatchObject({ tone: 'ok', data: { exit_code: 0 } })
      const made = world.host.fake.calls.slice(from).filter((call) => call.method === 'engine.start')
      expect(made.length, JSON.stringify(death)).toBeLessThanOrEqual(1)
      expect(await world.host.engine.list()).toEqual([])
      expect(await world.store.containers.of(alice.id)).toEqual([])
      return dead
    })
    expect(calls).toBeGreaterThan(3)
  })
})

describe('exec runs at most once', () => {
  test('whenever the process dies', async () => {
    await fresh()
    let times = 0
    world.host.fake.programs(async function* () {
      times++
      yield* []
      return 0
    })
    const calls = await each(async (death) => {
      times = 0
      const { dead, outcome } = await live(
        'exec',
        { containerId: before.id, byId: alice.id, argv: ['true'], folder: '/', lives: 60_000 },
        death,
      )
      expect(times).toBeLessThanOrEqual(1)
      if (dead)
        expect(outcome, JSON.stringify(death)).toMatchObject({
          state: 'failed',
          reply: { text: expect.stringContaining('outcome is not known') as string },
        })
      else expect(outcome).toMatchObject({ state: 'done' })
      return dead
    })
    expect(calls).toBe(1)
  })
})

describe('K01 a composition comes up whole', () => {
  test('whenever the process dies', async () => {
    await world.say(alice, 'rm -f web')
    const image = (await world.store.images.byRef(null, 'debian:latest'))!
    const back = { id: 'back00000001', name: 'shop-back' }
    const main = { id: alice.id, name: '', aliases: [] }
    const service = (
      name: string,
      waits: string[],
      on: Partial<Container['spec']>,
      networks: NonNullable<Container['spec']['compose']>['networks'],
    ): Intents['compose-up']['services'][number] => ({
      ...{ service: name, name: `shop-${name}`, imageId: image.id, imageRef: image.ref, ports: [] },
      limits: { memory: 2 ** 26, cpus: 100, pids: 32 },
      spec: {
        ...{ env: [], command: [], restart: { name: 'no' }, caps: [], devices: [], seccomp: null },
        ...on,
        compose: { project: 'shop', service: name, ...(networks ? { networks } : {}) },
      },
      waits: waits.map((one) => ({ service: one, health: null })),
    })
    const input = {
      ownerId: alice.id,
      project: 'shop',
      services: [
        {
          ...service('db', [], { network: back }, [{ ...back, aliases: ['store'] }]),
          secrets: [{ name: 'word', sealed: sealAhead(world.works.seal, alice.id, 'db', 'word', 'hunter2') }],
        },
        service('web', ['db'], {}, [main, { ...back, aliases: [] }]),
      ],
      volumes: [],
      networks: [back],
    }
    const calls = await each(async (death) => {
      const { dead, outcome } = await live('compose-up', input, death)
      expect(outcome.reply, JSON.stringify(death)).toMatchObject({ tone: 'ok', text: 'shop is up: 2 services.' })
      const mine = await world.store.containers.of(alice.id)
      expect(mine.map((one) => `${one.name} ${one.state}`).toSorted()).toEqual(['shop-db running', 'shop-web running'])
      const list = await world.host.engine.list()
      expect(list.map((seen) => seen.engineId).toSorted()).toEqual(mine.map((one) => one.engineId).toSorted())
      expect(await world.store.operations.countOpen()).toBe(0)
      const rows = await world.store.networks.allOf(alice.id, 'local')
      const named = new Map(rows.map((row) => [row.name, row.called]))
      const on = async (name: string) => {
        const { networks } = await world.host.engine.inspect(mine.find((one) => one.name === name)!.engineId!)
        return networks!.map((network) => named.get(network)).toSorted()
      }
      expect([await on('shop-db'), await on('shop-web')], JSON.stringify(death)).toEqual([
        ['shop-back'],
        ['', 'shop-back'],
      ])
      const { id } = mine.find((one) => one.name === 'shop-db')!
      expect(world.host.fake.run(id)!.secrets, JSON.stringify(death)).toEqual({ word: 'hunter2' })
      expect((await world.say(alice, 'compose down shop --yes')).error).toBeUndefined()
      expect(await world.host.engine.list()).toEqual([])
      return dead
    })
    expect(calls).toBeGreaterThan(3)
  })

  test('and goes whole, with its networks', async () => {
    const file = 'name: shop\nservices: { db: { image: debian, networks: [back] } }\nnetworks: { back: }\n'
    const calls = await each(async (death) => {
      const up = await world.say(alice, { name: 'compose up', args: { file } })
      expect(up.error, up.text).toBeUndefined()
      const containers = (await world.store.containers.of(alice.id)).map((one) => one.id)
      const { dead, outcome } = await live(
        'compose-down',
        { ownerId: alice.id, project: 'shop', containers, volumes: false },
        death,
      )
      expect(outcome.reply, JSON.stringify(death)).toMatchObject({ tone: 'ok' })
      expect(await world.store.containers.of(alice.id)).toEqual([])
      expect(await world.store.networks.of(alice.id)).toEqual([])
      expect(world.host.fake.networkNames()).toHaveLength(1)
      expect(await world.store.operations.countOpen()).toBe(0)
      return dead
    })
    expect(calls).toBeGreaterThan(2)
  })
})
