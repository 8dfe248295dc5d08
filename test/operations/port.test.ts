import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import type { Upkeep } from '../../src/core/upkeep/reconcile.ts'
import { settlePorts } from '../../src/core/upkeep/ports.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let upkeep: Upkeep
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  upkeep = { works: world.works, runner: world.runner, log: { debug() {}, info() {}, warn() {}, error() {} } }
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  await world.say(world.admin, 'quota set alice ports=3')
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(alice!, line)
const web = () => world.container(alice!, 'web')
const used = async () => (await world.store.people.usage(alice!.id))!.ports
const settle = () => settlePorts(upkeep, 'local')
const forwards = () => world.host.engine.forwards()
const names = async () => (await forwards()).map((one) => one.engineName)
const nameOf = (host: number, proto = 'tcp') => `dcm-${world.works.place.instance}-port-${proto}-${host}`
const added = async () => (await web()).added
const notices = async () =>
  (await world.rows<{ text: string }>(`select text from notices where kind = 'port' order by created_at`)).map(
    (row) => row.text,
  )

beforeEach(async () => {
  await say('rm -f web')
  await world.sql('delete from notices')
  expect((await say('create web --image debian -p 80')).error).toBeUndefined()
})

describe('port add', () => {
  test('opens a port beside the container, which is not touched; TCP and UDP are two', async () => {
    const before = await web()
    const calls = world.host.fake.calls.length
    const tcp = await say('port add web 8080')
    const udp = await say('port add web 8080/udp --share me')
    const [one, two] = await added()
    expect(tcp).toMatchObject({
      data: { name: 'web', container: 8080, proto: 'tcp', port: one!.host, share: 'site', expires_at: null },
    })
    expect(udp.text).toBe(`Port 8080/udp of web is open at 127.0.0.1:${two!.host}.`)
    expect(world.host.fake.forward(nameOf(one!.host))).toMatchObject({
      ...{ target: before.engineName, container: 8080, proto: 'tcp', reach: 'site', running: true },
    })
    expect(world.host.fake.forward(nameOf(two!.host, 'udp'))).toMatchObject({ proto: 'udp', reach: 'me' })
    const touched = world.host.fake.calls.slice(calls).map((call) => call.method)
    expect(touched.filter((method) => /engine\.(create|start|stop|remove|update)$/.test(method))).toEqual([])
    const { added: _, ...rest } = await web()
    expect(rest).toEqual(Object.fromEntries(Object.entries(before).filter(([name]) => name !== 'added')))
    expect((await say('inspect web')).data).toMatchObject({
      ports: [
        { container: 80, share: 'site', expires_at: null },
        { container: 8080, proto: 'tcp' },
        { container: 8080, proto: 'udp', host: '127.0.0.1', share: 'me' },
      ],
    })
  })

  test('of one that it was made with is told to be a second address', async () => {
    const made = (await web()).ports.find((port) => port.container === 80)!
    expect((await say('port add web 80')).text).toMatch(
      new RegExp(`\\. It is at \\S+:${made.host} too, as it was made with -p; that address stays\\.$`),
    )
  })

  test('J02: counts in the quota of ports, and what does not fit leaves nothing', async () => {
    for (const port of [1, 2]) await say(`port add web ${port}`)
    expect(await used()).toBe(3)
    expect(await say('port add web 3')).toMatchObject({
      error: 'limited',
      text: expect.stringContaining('close one with port rm') as string,
    })
    expect(await names()).toHaveLength(2)
    await say('port rm web 1')
    expect(await used()).toBe(2)
    expect((await say('port add web 3')).error).toBeUndefined()
  })

  test('many at once are as many as fit, each with a number of its own', async () => {
    const replies = await Promise.all([1, 2, 3, 4, 5, 6].map((port) => say(`port add web ${port}`)))
    const good = replies.filter((reply) => !reply.error)
    expect(good.length).toBeGreaterThan(0)
    expect(good.length).toBeLessThanOrEqual(2)
    expect(await added()).toHaveLength(good.length)
    expect(await names()).toHaveLength(good.length)
  })

  test('again it sets when it ends, and another share or number is told apart', async () => {
    await say('port add web 8080')
    const [one] = await added()
    expect((await say('port add web 8080 --for 1d')).error).toBeUndefined()
    const [again] = await added()
    expect(again).toMatchObject({ host: one!.host })
    expect(again!.expiresAt!.getTime() - Date.now()).toBeGreaterThan(23 * 3_600_000)
    expect(await say('port add web 8080 --share me')).toMatchObject({
      error: 'conflict',
      text: 'Port 8080 of web is open already, for site; close it first.',
    })
    expect(await used()).toBe(2)
  })

  test('every address and a number of choice need their grants', async () => {
    expect(await say('port add web 8080 --share public')).toMatchObject({
      error: 'denied',
      text: expect.stringContaining('grant MEMBER port:public') as string,
    })
    expect(await say('port add web 443:8443')).toMatchObject({ error: 'denied' })
    await world.say(world.admin, 'grant alice port:public')
    await world.say(world.admin, 'grant alice port:443')
    expect((await say('port add web 8080 --share public')).error).toBeUndefined()
    expect((await say('port add web 443:8443')).data).toMatchObject({ port: 443, container: 8443 })
    await world.say(world.admin, 'revoke alice port:443')
  })

  test('a number that something else holds is exchanged, also at the end of a quota', async () => {
    await say('port add web 1')
    world.host.fake.fail('engine.forward', 'taken')
    const reply = await say('port add web 2')
    expect(reply.error, reply.text).toBeUndefined()
    const two = (await added()).find((port) => port.container === 2)!
    expect(reply.data).toMatchObject({ port: two.host })
    expect(await names()).toContain(nameOf(two.host))
    expect(await used()).toBe(3)
  })

  test('K01: an answer that is lost makes no second one, and gives the same number', async () => {
    world.host.fake.fail('engine.forward', 'down', { after: true })
    expect((await say('port add web 8080')).error).toBeUndefined()
    expect(await names()).toEqual([nameOf((await added())[0]!.host)])
    world.host.fake.fail('engine.unforward', 'down', { after: true })
    expect((await say('port rm web 8080')).error).toBeUndefined()
    expect(await names()).toEqual([])
    expect(await used()).toBe(1)
  })

  test('one that cannot be made leaves no row, no number and no forwarder', async () => {
    world.host.fake.fail('engine.forward', 'refused')
    expect(await say('port add web 8080')).toMatchObject({ error: 'conflict' })
    expect(await added()).toEqual([])
    expect(await names()).toEqual([])
    expect(await used()).toBe(1)
  })
})

describe('port ls and rm', () => {
  test('what it was made with is listed too, and is not closed this way', async () => {
    await say('port add web 53/udp --for 2d')
    expect((await say('port ls')).table?.rows.map((row) => [row[0], row[1], row[3]])).toEqual([
      ['web', '80', 'site'],
      ['web', '53/udp', 'site'],
    ])
    expect(await say('port rm web 80')).toMatchObject({
      error: 'conflict',
      text: expect.stringContaining('was made with port 80') as string,
    })
    expect(await say('port rm web 99')).toMatchObject({ error: 'conflict', text: 'web has no port 99 open.' })
    expect((await world.say(bob!, 'port ls')).data).toEqual([])
  })
})

describe('it follows its container', () => {
  test('stopped, started, renamed: as it was; made anew: to the new one at once; removed: gone', async () => {
    await say('port add web 8080')
    const [port] = await added()
    for (const line of ['stop web', 'start web', 'rename web site', 'rename site web']) await say(line)
    expect(world.host.fake.forward(nameOf(port!.host))).toMatchObject({ target: (await web()).engineName })
    expect((await say('redeploy web')).error).toBeUndefined()
    expect(await added()).toEqual([port])
    expect(world.host.fake.forward(nameOf(port!.host))).toMatchObject({
      target: (await web()).engineName,
      running: true,
    })
    await say('rm -f web')
    expect(await names()).toEqual([])
    expect(await used()).toBe(0)
  })

  test('N04: with its owner everything of it goes', async () => {
    const carol = await world.member('carol')
    await world.say(carol, 'create box --image debian')
    await world.say(carol, 'port add box 8080')
    expect((await names()).length).toBe(1)
    expect((await world.say(world.admin, 'user rm carol --yes')).error).toBeUndefined()
    expect(await names()).toEqual([])
    expect(world.host.fake.networkNames().some((name) => name.includes(carol.id))).toBe(false)
  })
})

describe('reconciling', () => {
  test('K11: one that ended or is gone is made again, one that nobody has goes, one that is well is let alone', async () => {
    await say('port add web 8080')
    await say('port add web 9090')
    const [one, two] = await added()
    world.host.fake.breakForward(nameOf(one!.host))
    world.host.fake.breakForward(nameOf(two!.host), true)
    await settle()
    for (const port of [one, two]) expect(world.host.fake.forward(nameOf(port!.host))).toMatchObject({ running: true })
    await world.sql(`delete from ports where host_port = ${two!.host}`)
    await settle()
    expect(await names()).toEqual([nameOf(one!.host)])
    const calls = world.host.fake.calls.length
    await settle()
    expect(world.host.fake.calls.slice(calls).map((call) => call.method)).toEqual(['engine.forwards'])
  })

  test('what an operation has in hand is left to it', async () => {
    await say('port add web 8080')
    const [port] = await added()
    world.host.fake.breakForward(nameOf(port!.host))
    const go = world.host.fake.hold('engine.stop')
    const stopping = say('stop web')
    await expect.poll(() => world.host.fake.calls.at(-1)?.method).toBe('engine.stop')
    await settle()
    expect(world.host.fake.forward(nameOf(port!.host))).toMatchObject({ running: false })
    go()
    await stopping
    await settle()
    expect(world.host.fake.forward(nameOf(port!.host))).toMatchObject({ running: true })
  })

  test('its end closes it and frees the number; before that its owner is told once, with a way to keep it', async () => {
    await say('port add web 8080 --for 2d')
    const [port] = await added()
    const end = (when: string) =>
      world.sql(`update ports set expires_at = ${when}, created_at = now() - interval '1 day' where reach is not null`)
    await end(`now() + interval '10 minutes'`)
    await settle()
    await settle()
    expect(await notices()).toEqual([expect.stringMatching(/^Port 8080 of web will be closed at 20.* UTC\.$/)])
    const [row] = await world.rows<{ actions: { line: string }[] }>(`select actions from notices where kind = 'port'`)
    expect(row!.actions.map((action) => action.line)).toEqual(['port add web 8080 --for 1d'])
    expect((await say(row!.actions[0]!.line)).error).toBeUndefined()
    await end(`now() - interval '1 second'`)
    await settle()
    expect(await added()).toEqual([])
    expect(world.host.fake.forward(nameOf(port!.host))).toBeUndefined()
    expect((await notices()).at(-1)).toBe('Port 8080 of web has come to its end and is closed.')
    expect((await world.store.audit.read({ limit: 1 }))[0]).toMatchObject({
      ...{ surface: 'system', command: 'port rm', target: 'alice/web 8080', decision: 'done' },
    })
    expect(await used()).toBe(1)
  })

  test('one at every address is closed when its grant is gone', async () => {
    await world.say(world.admin, 'grant alice port:public')
    await say('port add web 8080 --share public')
    await world.say(world.admin, 'revoke alice port:public')
    await settle()
    expect(await added()).toEqual([])
    expect(await names()).toEqual([])
    expect(await notices()).toEqual([expect.stringContaining('no longer granted') as string])
  })
})
