import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ensureNetwork } from '../../src/core/containers/network.ts'
import { HostError } from '../../src/core/host/fault.ts'
import type { Person } from '../../src/core/model/person.ts'
import { settleNetworks } from '../../src/core/upkeep/networks.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(alice!, line)
const done = async (...lines: string[]) => {
  for (const line of lines) expect((await say(line)).error, line).toBeUndefined()
}
const rows = () => world.store.networks.allOf(alice!.id, 'local')
const nameOf = async (called: string) => (await rows()).find((row) => row.called === called)!.name
const on = async (name: string) => {
  const { engineId } = await world.container(alice!, name)
  return (await world.host.engine.inspect(engineId!)).networks!.toSorted()
}

beforeEach(async () => {
  for (const name of ['web', 'db']) await say(`rm -f ${name}`)
  for (const network of await world.store.networks.of(alice!.id)) await say(`network rm ${network.name}`)
  await done('create web --image debian', 'network create back')
})

describe('a network', () => {
  test('has a subnet of its own out of the pool, and a bridge that the firewall matches', async () => {
    const [main, back] = (await rows()).toSorted((a, b) => a.called.localeCompare(b.called))
    expect(back).toMatchObject({ called: 'back', subnet: expect.stringMatching(/^10\.2\d\d\.\d+\.\d+\/26$/) as string })
    expect(back!.subnet).not.toBe(main!.subnet)
    expect(back!.bridge).toMatch(/^dcm[a-z0-9]{1,12}$/)
    expect(world.host.fake.networkNames()).toContain(back!.name)
    expect((await world.say(bob!, 'network ls')).data).toEqual([])
  })

  test('is what a container is made on, instead of the main one, through all that makes it anew', async () => {
    await done('create db --image debian --network back', 'port add db 5432')
    const back = await nameOf('back')
    expect(await on('db')).toEqual([back])
    const [port] = (await world.container(alice!, 'db')).added
    const forwarder = `dcm-${world.works.place.instance}-port-tcp-${port!.host}`
    expect(world.host.fake.forward(forwarder)).toMatchObject({ network: back })
    await done('stop db', 'start db', 'redeploy db')
    expect(await on('db')).toEqual([back])
    expect((await say('inspect db')).data).toMatchObject({ networks: ['back'] })
    await done('recreate db --yes --clear network')
    expect(await on('db')).toEqual([await nameOf('')])
    expect(world.host.fake.forward(forwarder)).toMatchObject({ network: await nameOf('') })
    await done('recreate db --yes --network back')
    expect(await on('db')).toEqual([back])
  })

  test('is joined and left as the container stands, and kept when it is made anew', async () => {
    await done('network connect back web')
    const both = [await nameOf(''), await nameOf('back')].toSorted()
    expect(await on('web')).toEqual(both)
    await done('redeploy web', 'network connect back web')
    expect(await on('web')).toEqual(both)
    expect((await say('network ls')).data).toMatchObject([{ name: 'back', containers: ['web'] }])
    await done('network disconnect back web')
    expect(await on('web')).toEqual([await nameOf('')])
    expect(await say('network disconnect back web')).toMatchObject({ error: 'conflict', text: 'web is not on back.' })
  })

  test('several are joined before the program begins, and each is on its own the only one', async () => {
    await done('network create front')
    const from = world.host.fake.calls.length
    await done('create db --image debian --network back --network front --network back')
    const [back, front] = [await nameOf('back'), await nameOf('front')]
    expect(await on('db')).toEqual([back, front].toSorted())
    const order = world.host.fake.calls.slice(from).map((call) => call.method)
    expect(order.indexOf('engine.alias')).toBeLessThan(order.indexOf('engine.start'))
    await done('recreate db --yes -e A=b', 'stop db', 'start db')
    expect(await on('db')).toEqual([back, front].toSorted())
    expect((await say('inspect db')).data).toMatchObject({ networks: ['back', 'front'] })
  })

  test('that something is on, or about to be, stays', async () => {
    await done('network connect back web')
    expect(await say('network rm back')).toMatchObject({
      error: 'conflict',
      text: 'On back there is web; disconnect or remove that first.',
    })
    await done('network disconnect back web', 'create db --image debian --network back')
    expect(await say('network disconnect back db')).toMatchObject({ error: 'conflict' })
    expect(await say('network rm back')).toMatchObject({ error: 'conflict' })
    await done('rm -f db', 'network rm back')
    expect(world.host.fake.networkNames()).toEqual([await nameOf('')])
  })

  test("A01, A05: host, none, bridge and another's are no networks of anybody", async () => {
    await world.say(bob!, 'network create his')
    for (const name of ['host', 'none', 'bridge', 'container:web'])
      for (const line of [
        `create db --image debian --network ${name}`,
        `run debian --network back --network ${name} -- true`,
      ])
        expect(await say(line), line).toMatchObject({
          error: 'usage',
          text: expect.stringContaining(`The network ${name} is given to no container`) as string,
        })
    expect(await say('network create host')).toMatchObject({ error: 'usage' })
    expect(await say('create db --image debian --network his')).toMatchObject({
      error: 'not_found',
      text: 'You have no network called his; you have back.',
    })
    await world.say(bob!, 'network rm his')
  })

  test('there are at most 8, and many at once are as many as fit, each with a subnet of its own', async () => {
    const replies = await Promise.all(Array.from({ length: 10 }, (_, at) => say(`network create n${at}`)))
    expect(replies.filter((reply) => !reply.error)).toHaveLength(7)
    expect(replies.filter((reply) => reply.error === 'limited')).toHaveLength(3)
    const subnets = (await rows()).map((row) => row.subnet)
    expect(new Set(subnets).size).toBe(9)
  })

  test('one of a name whose network is just being removed is told so, and leaves nothing', async () => {
    await world.sql(`update networks set leaving = true where called = 'back'`)
    for (const line of ['network create back', 'network create back'])
      expect(await say(line)).toMatchObject({
        error: 'conflict',
        text: 'The network back is being removed; try again in a moment.',
      })
    await world.sql(`update networks set leaving = false where called = 'back'`)
  })

  test('K06: one that cannot be made leaves no row and no subnet', async () => {
    world.host.fake.fail('engine.createNetwork', 'refused')
    expect(await say('network create other')).toMatchObject({ error: 'conflict' })
    expect((await rows()).map((row) => row.called).toSorted()).toEqual(['', 'back'])
    await done('network create other')
  })

  test('J01: two that settle a network at once agree, also when its subnet is taken from under both', async () => {
    const carol = await world.member('carol')
    const { engine } = world.host
    let late = false
    const createNetwork: typeof engine.createNetwork = async (wish) => {
      if (late) return engine.createNetwork(wish)
      late = true
      // Another program of the host takes it; the other one has seen that first, and has settled on a subnet by now.
      await engine.createNetwork({ ...wish, name: 'foreign', bridge: 'br0', ownerId: 'nobody' })
      await ensureNetwork(world.works, carol.id, 'local')
      throw new HostError('taken', 'Pool overlaps with other one on this address space.', { status: 403 })
    }
    const host = () => ({ ...world.host, engine: { ...engine, createNetwork } })
    const name = await ensureNetwork({ ...world.works, host }, carol.id, 'local')
    const made = (await engine.networks()).find((one) => one.name === name)
    const rows = await world.store.networks.allOf(carol.id, 'local')
    expect(rows.map((row) => [row.subnet])).toEqual([made?.subnets])
    await engine.removeNetwork('foreign')
  })

  test('K11: a container that was taken off it in Docker, and a network that is gone, are put back', async () => {
    const upkeep = { works: world.works, runner: world.runner, log: { debug() {}, info() {}, warn() {}, error() {} } }
    await done('network connect back web')
    const back = await nameOf('back')
    const { engineId } = await world.container(alice!, 'web')
    await world.host.engine.leave(engineId!, back)
    await world.host.engine.removeNetwork(back)
    await settleNetworks(upkeep, 'local')
    expect(world.host.fake.networkNames()).toContain(back)
    expect(await on('web')).toContain(back)
    const calls = world.host.fake.calls.length
    await settleNetworks(upkeep, 'local')
    expect(world.host.fake.calls.slice(calls).map((call) => call.method)).toEqual(['engine.networks', 'engine.inspect'])
  })

  test('N04: with its owner it goes', async () => {
    const carol = await world.member('carol')
    for (const line of ['network create mine', 'create box --image debian', 'network connect mine box'])
      expect((await world.say(carol, line)).error, line).toBeUndefined()
    const before = world.host.fake.networkNames().length
    expect((await world.say(world.admin, 'user rm carol --yes')).error).toBeUndefined()
    expect(world.host.fake.networkNames()).toHaveLength(before - 2)
    expect(await world.store.networks.allOf(carol.id, 'local')).toEqual([])
  })
})
