import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Container } from '../../src/core/model/container.ts'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  await world.say(world.admin, 'quota set alice ports=4')
})
afterAll(() => world[Symbol.asyncDispose]())

const web = () => world.container(alice, 'web')
const say = (line: string) => world.say(alice, line)
/** What the engine was asked to make of it. */
const made = async () => world.host.fake.wish((await web()).engineId!)!
const engines = async () => (await world.host.engine.list()).map((seen) => [seen.engineName, seen.state])
const usage = async () => (await world.store.people.usage(alice.id))!
let before: Container
let used: Awaited<ReturnType<typeof usage>>

beforeEach(async () => {
  await say('rm -f web')
  world.host.fake.setGreeting(null)
  expect((await say('create web --image debian -p 80 -p 53/udp -e A=1 -e B=2')).error).toBeUndefined()
  before = await web()
  used = await usage()
  await say('rmi web:v2')
  await say('commit web web:v2')
})

/** Exactly one engine container is left, it is the row's, and nothing is held that is not used. */
async function sound(state: string, name?: string) {
  const now = await web()
  expect(await engines()).toEqual([[now.engineName, state]])
  expect(now.engineId).toBe((await world.host.engine.find(now.engineName))!.engineId)
  if (name !== undefined) expect(now.engineName).toBe(name)
  expect(await world.store.operations.countOpen()).toBe(0)
  return now
}

describe('redeploy', () => {
  test('name, ports, storage, limits and host key stay; image and engine object are others', async () => {
    const reply = await say('redeploy web --image web:v2')
    expect(reply).toMatchObject({
      text: 'web runs web:v2 now, and ran debian:latest before; its name, storage, limits and host key are as they were.',
      data: { name: 'web', image: 'web:v2', fingerprint: before.fingerprint, state: 'running' },
    })
    const now = await sound('running')
    const { engineId, engineName, imageId, imageEngineId, imageRef, offered, startedAt, ...same } = before
    expect(now).toMatchObject(same)
    expect(now).toMatchObject({ imageRef: 'web:v2', offered: null })
    for (const [name, old] of Object.entries({ engineId, engineName, imageId, imageEngineId, imageRef, startedAt }))
      expect(now[name as keyof typeof now], name).not.toEqual(old)
    expect(offered).not.toBeNull()
    expect(await made()).toMatchObject({
      ports: before.ports.map(({ container, proto, host }) => ({ container, proto, host })),
      env: ['A=1', 'B=2'],
    })
    expect(await usage()).toMatchObject({
      containers: used.containers,
      running: used.running,
      ports: used.ports,
      memory: used.memory,
    })
  })

  test("without an image: what its image's name stands for now", async () => {
    await say('redeploy web --image web:v2')
    const older = (await made()).imageId
    await say('commit web web:v2')
    expect(await say('redeploy web')).toMatchObject({ tone: 'ok' })
    expect((await made()).imageId).not.toBe(older)
    expect((await made()).imageId).toBe((await world.store.images.byRef(alice.id, 'web:v2'))!.engineId)
  })

  test('a stopped one is started, and a paused one runs', async () => {
    for (const verb of ['stop', 'pause']) {
      await say(`${verb} web`)
      expect(await say('redeploy web')).toMatchObject({ data: { state: 'running' } })
      expect(await sound('running')).toMatchObject({ desired: 'running' })
    }
  })

  test('one that is gone from Docker is there again', async () => {
    world.host.fake.lose(before.engineId!)
    expect(await say('redeploy web')).toMatchObject({ data: { state: 'running' } })
    await sound('running')
  })

  test("another member's image is none", async () => {
    const bob = await world.member('bob')
    await world.say(bob, 'create his --image debian')
    await world.say(bob, 'commit his his:v1')
    expect(await say('redeploy web --image his:v1')).toMatchObject({ error: 'not_found' })
    await world.say(bob, 'rm -f his')
  })
})

test('an old one that Docker does not remove is left after some tries, and nothing is waited for after the last', async () => {
  const [asked, sleep] = [world.host.fake.calls.length, world.works.sleep]
  let slept = 0
  world.works.sleep = (ms) => (slept++, sleep(ms))
  world.host.fake.fail('engine.remove', 'refused', { times: 5 })
  expect((await say('redeploy web --image web:v2')).tone).toBe('ok')
  world.works.sleep = sleep
  const removals = world.host.fake.calls.slice(asked).filter((call) => call.method === 'engine.remove')
  expect([removals.length, slept]).toEqual([5, 4])
  await world.host.engine.remove(before.engineId!)
  await sound('running')
})

describe('when the new one does not come up, the one before is back', () => {
  const states = { running: [], exited: ['stop web'], paused: ['pause web'] } as const
  test.each(Object.keys(states) as (keyof typeof states)[])('%s', async (state) => {
    for (const line of states[state]) await say(line)
    world.host.fake.setGreeting('nobody answers')
    const reply = await say('redeploy web --image web:v2')
    expect(reply).toMatchObject({
      error: 'conflict',
      text: expect.stringMatching(/nobody answers.*The one before is put back\.$/) as string,
    })
    const now = await sound(state, before.engineName)
    expect(now).toMatchObject({
      imageRef: before.imageRef,
      desired: state,
      state,
      ports: before.ports,
      spec: before.spec,
    })
    expect(await usage()).toMatchObject({ ports: used.ports, running: state === 'exited' ? 0 : 1 })
  })

  test('also when its ports are held, or Docker refuses at any call', async () => {
    for (const method of ['engine.create', 'engine.start', 'engine.stop', 'engine.inspect'] as const)
      for (const fault of ['taken', 'refused', 'broken', 'full'] as const) {
        world.host.fake.fail(method, fault)
        expect((await say('redeploy web --image web:v2')).error, `${method} ${fault}`).toBeDefined()
        await sound('running', before.engineName)
      }
  })

  test('also when its command fails', async () => {
    const reply = say('recreate web --yes -- false')
    // The entry program's line, as it stands in a log.
    await until('the second container', async () => (await engines()).length > 1)
    const fresh = (await world.host.engine.list()).find((seen) => seen.engineName !== before.engineName)!
    world.host.fake.write(fresh.engineId, 'dcm: command exited with code 1\n')
    expect(await reply).toMatchObject({
      error: 'conflict',
      text: expect.stringContaining('ended with exit code 1') as string,
    })
    expect(await sound('running', before.engineName)).toMatchObject({ spec: before.spec })
  })

  test('and new ports are given back', async () => {
    world.host.fake.setGreeting('nobody answers')
    await say('recreate web --yes -p 8080')
    expect(await sound('running', before.engineName)).toMatchObject({ ports: before.ports })
    expect(await usage()).toMatchObject({ ports: 2 })
  })
})

describe('recreate', () => {
  test('asks first', async () => {
    expect(await say('recreate web -p 8080')).toMatchObject({ error: 'conflict', data: { confirm: true } })
    expect((await say('recreate web -p 8080')).text).toMatch(
      / Open as before: 53\/udp, 80, unless --clear ports leaves that out\.$/,
    )
    expect((await say('recreate web -p 8080 --clear ports')).text).not.toContain('Open as before')
    await sound('running', before.engineName)
  })

  test('adds ports, and those that are there keep their numbers', async () => {
    await say('recreate web --yes -p 8080')
    const now = await sound('running')
    expect(now.ports).toHaveLength(4)
    expect(now.ports).toEqual(expect.arrayContaining(before.ports))
    expect(await usage()).toMatchObject({ ports: 3 })
  })

  test("a port that takes another's place takes its number", async () => {
    await say('recreate web --yes --clear ports -p 443')
    const now = await sound('running')
    const tcp = before.ports.find((port) => port.container === 80)!
    expect(now.ports).toEqual([before.ports.find((port) => port.purpose === 'ssh'), { ...tcp, container: 443 }])
    expect(await usage()).toMatchObject({ ports: 1 })
  })

  test('variables are set, changed and left out', async () => {
    await say('recreate web --yes -e B=3 -e C=4')
    expect((await made()).env).toEqual(['A=1', 'B=3', 'C=4'])
    await say('recreate web --yes --clear env -e D=5')
    expect((await made()).env).toEqual(['D=5'])
  })

  test('the command is another, and none', async () => {
    await say('recreate web --yes -- sleep 1d')
    expect((await made()).command).toEqual(['sleep', '1d'])
    await say('recreate web --yes --clear command')
    expect((await made()).command).toEqual([])
  })

  test('what needs a grant needs it here too, also what was granted and revoked since', async () => {
    for (const line of [
      'recreate web --yes --cap-add NET_RAW',
      'recreate web --yes --restart unless-stopped',
      'recreate web --yes -p 19999:80',
    ])
      expect(await say(line), line).toMatchObject({ error: 'denied' })
    await world.say(world.admin, 'grant alice cap:NET_RAW')
    expect((await say('recreate web --yes --cap-add NET_RAW')).error).toBeUndefined()
    expect((await made()).caps).toEqual(['NET_RAW'])
    await world.say(world.admin, 'revoke alice cap:NET_RAW')
    expect(await say('redeploy web')).toMatchObject({ error: 'denied' })
    expect((await say('recreate web --yes --clear caps')).error).toBeUndefined()
    expect((await made()).caps).toEqual([])
  })

  test('ports beyond the quota are refused, and what is there stays', async () => {
    expect(await say('recreate web --yes -p 1 -p 2 -p 3')).toMatchObject({ error: 'limited' })
    expect(await sound('running', before.engineName)).toMatchObject({ ports: before.ports })
    expect((await say('recreate web --yes --clear ports -p 1 -p 2 -p 3')).error).toBeUndefined()
    expect(await usage()).toMatchObject({ ports: 3 })
  })

  test('an image without sshd has no SSH port, and one with it has one again', async () => {
    await say('recreate web --yes --image bare')
    expect((await sound('running')).ports.map((port) => port.purpose)).toEqual(['public', 'public'])
    await say('recreate web --yes --image debian')
    expect(await sound('running')).toMatchObject({ fingerprint: before.fingerprint })
    expect((await web()).ports.map((port) => port.purpose).toSorted()).toEqual(['public', 'public', 'ssh'])
  })

  test('health is asked of a port that is published', async () => {
    expect(await say('redeploy web --health 9000')).toMatchObject({ error: 'usage' })
    expect(await say('redeploy web --health web')).toMatchObject({ error: 'usage' })
    await sound('running', before.engineName)
  })
})

test('while it is made anew nothing else is done to it', async () => {
  const release = world.host.fake.hold('engine.stop')
  const working = say('redeploy web --image web:v2')
  await until('the second container', async () => (await engines()).length > 1)
  expect(await say('stop web')).toMatchObject({
    error: 'conflict',
    text: 'web is being made anew; try again when that has ended.',
  })
  release()
  expect((await working).error).toBeUndefined()
  await sound('running')
})

test('one that is removed in Docker just after it was adopted does not keep it from ending', async () => {
  const release = world.host.fake.hold('engine.find')
  const working = say('redeploy web --image web:v2')
  await until('its adoption', () => world.host.fake.calls.at(-1)?.method === 'engine.find')
  world.host.fake.fail('engine.inspect', 'gone')
  release()
  expect((await working).error).toBeUndefined()
  expect(await engines()).toHaveLength(1)
})
