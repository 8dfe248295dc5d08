import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
})
afterAll(() => world[Symbol.asyncDispose]())
afterEach(async () => {
  for (const { name } of await world.store.containers.of(alice.id)) await world.say(alice, `rm -f ${name}`)
  for (const { name } of await world.store.networks.of(alice.id)) await world.say(alice, `network rm ${name}`)
})

const file = `
name: shop
services:
  web: { image: debian, networks: [front, back] }
  db: { image: debian, networks: { back: { aliases: [database, store] } } }
  page: { image: debian }
  job: { image: debian, networks: { back: , default: { aliases: [cron] } } }
networks: { front: , back: { driver: bridge } }
`
const up = async (text: string, more: Record<string, unknown> = {}) =>
  world.say(alice, { name: 'compose up', args: { file: text, ...more } })
const done = async (text: string, more: Record<string, unknown> = {}) => {
  const reply = await up(text, more)
  expect(reply.error, reply.text).toBeUndefined()
  return (reply.data as { services: { service: string; done: string }[] }).services.map(
    (one) => `${one.service} ${one.done}`,
  )
}
const say = async (...lines: string[]) => {
  for (const line of lines) expect((await world.say(alice, line)).error, line).toBeUndefined()
}
const called = async () => (await world.store.networks.of(alice.id)).map((one) => one.name)
/** What a container is on in the engine, by what its owner calls that; the main one is "". */
async function on(name: string): Promise<string[]> {
  const rows = await world.store.networks.allOf(alice.id, 'local')
  const { engineId } = await world.container(alice, name)
  const { networks } = await world.host.engine.inspect(engineId!)
  return networks!.map((one) => rows.find((row) => row.name === one)!.called).toSorted()
}
/** The names by which the engine was told that a container is found, since a call. */
function told(from: number) {
  const calls = world.host.fake.calls.slice(from)
  const made = calls
    .filter(({ method }) => method === 'engine.create')
    .map(({ args }) => args[0] as { name: string; aliases?: string[] })
  const joined = calls.filter(({ method }) => method === 'engine.alias').map(({ args }) => args[2] as string[])
  return { made: Object.fromEntries(made.map(({ name, aliases = [] }) => [name, aliases])), joined }
}

test('services are on the networks that the file names, by their names and aliases; the main one is default', async () => {
  const from = world.host.fake.calls.length
  expect(await done(file)).toEqual(['web created', 'db created', 'page created', 'job created'])
  expect(await called()).toEqual(['shop-back', 'shop-front'])
  expect(await on('shop-web')).toEqual(['shop-back', 'shop-front'])
  expect(await on('shop-db')).toEqual(['shop-back'])
  expect(await on('shop-page')).toEqual([''])
  expect(await on('shop-job')).toEqual(['', 'shop-back'])
  const { made, joined } = told(from)
  expect(made).toEqual({
    'shop-web': ['web'],
    'shop-db': ['db', 'database', 'store'],
    'shop-page': ['page'],
    'shop-job': ['job', 'cron'],
  })
  expect(joined.map((names) => names.join(' ')).toSorted()).toEqual(['shop-job job', 'shop-web web'])
  expect((await world.say(alice, 'network ls')).data).toMatchObject([
    { name: 'shop-back', containers: ['shop-db', 'shop-job', 'shop-web'] },
    { name: 'shop-front', containers: ['shop-web'] },
  ])
  const order = ['networks: [front, back]', 'networks: { front: , back: {} }'] as const
  const same = await done(file.replace(...order).replace('[database, store]', '[store, database]'))
  expect(same.map((one) => one.replace(/^\w+ /, ''))).toEqual(Array.from({ length: 4 }, () => 'as it was'))
  await say('rename shop-db shop-base', 'stop shop-base', 'start shop-base')
  expect((await world.host.engine.inspect((await world.container(alice, 'shop-base')).engineId!)).aliases).toEqual([
    'shop-base',
    'db',
    'database',
    'store',
  ])
  await say('compose down shop --yes')
  expect(await called()).toEqual([])
  expect(world.host.fake.networkNames()).toHaveLength(1)
})

test('two compositions on networks of their own may call a service alike, on one that both have they may not', async () => {
  const own = (project: string) => file.replace('shop', project).replace(/ {2}(page|job): .*\n/g, '')
  await done(own('one'))
  await done(own('two'))
  const page = `name: three\nservices: { page: { image: debian } }\n`
  await done(page)
  expect(await up(page.replace('three', 'four'))).toMatchObject({
    error: 'conflict',
    text: expect.stringMatching(/^three-page is found as page on your network already;/) as string,
  })
  const guest = `name: five\nservices: { db: { image: debian, networks: [there] } }\nnetworks: { there: { external: true, name: one-back } }\n`
  expect(await up(guest)).toMatchObject({
    error: 'conflict',
    text: expect.stringMatching(/^one-db is found as db on one-back already;/) as string,
  })
  expect(await up(guest.replace('{ db:', '{ store: ').replace('debian, ', 'debian, '))).toMatchObject({
    text: expect.stringMatching(/^one-db is found as store on one-back/) as string,
  })
  for (const project of ['one', 'two', 'three']) await say(`compose down ${project} --yes`)
})

test('what the file changes is made anew; what was joined by hand stays joined', async () => {
  await done(file)
  await say('network create mine', 'network connect mine shop-db', 'network connect mine shop-page')
  expect(await done(file)).toContain('db as it was')
  const moved = file.replace('{ back: { aliases: [database, store] } }', '[front]')
  expect(await done(moved)).toEqual(['web as it was', 'db made anew', 'page as it was', 'job as it was'])
  expect(await on('shop-db')).toEqual(['mine', 'shop-front'])
  expect(
    await done(file.replace(', networks: [front, back]', '').replace('debian }', 'debian, networks: [back] }')),
  ).toEqual(['web made anew', 'db made anew', 'page as it was', 'job as it was'])
  expect(await on('shop-web')).toEqual(['shop-back'])
  await say('network disconnect shop-back shop-job')
  expect(await done(file)).toContain('job made anew')
  expect(await on('shop-job')).toEqual(['', 'shop-back'])
  expect(await done(`name: shop\nservices: { db: { image: debian } }\n`)).toEqual(['db made anew'])
  expect(await on('shop-db')).toEqual(['', 'mine'])
  // It was given to it by hand, and no file says anything of it.
  await say('recreate shop-page --yes --network mine')
  expect(await done(file)).toContain('page as it was')
  expect(await on('shop-page')).toEqual(['mine'])
})

test('one that does not come up anew is put back on the networks that it was on', async () => {
  await done(file)
  world.host.fake.fail('engine.alias', 'refused')
  const moved = file.replace('{ back: { aliases: [database, store] } }', '[front, back]')
  expect(await up(moved)).toMatchObject({ error: 'conflict' })
  expect(await on('shop-db')).toEqual(['shop-back'])
  expect((await world.container(alice, 'shop-db')).joined).toEqual([])
  expect(await done(moved)).toContain('db made anew')
  expect(await on('shop-db')).toEqual(['shop-back', 'shop-front'])
})

test('one that is external has to be there, and stays; what another is on stays too, and is told', async () => {
  const there = `name: guest\nservices: { web: { image: debian, networks: [there, own] } }\nnetworks: { there: { external: true }, own: }\n`
  expect((await up(there)).table?.rows).toEqual([
    ['2:46', 'services.web.networks', 'You have no network called there; network create makes one.'],
  ])
  await say('network create there')
  await done(there)
  expect(await on('guest-web')).toEqual(['guest-own', 'there'])
  await say('create other --image debian --network guest-own')
  expect((await world.say(alice, 'compose down guest --yes')).text).toBe(
    'guest is down: its containers are removed; /storage and your images are untouched. Still there, as other is on guest-own: network rm removes it.',
  )
  expect(await called()).toEqual(['guest-own', 'there'])
  await say('rm -f other')
  expect((await world.say(alice, 'compose down guest --yes')).error).toBeUndefined()
  expect(await called()).toEqual(['there'])
  expect(await world.say(alice, 'compose down guest --yes')).toMatchObject({ error: 'not_found' })
})

test('a whole file may be on one that is external', async () => {
  await say('network create there')
  await done(
    `name: all\nservices: { web: { image: debian } }\nnetworks: { default: { external: true, name: there } }\n`,
  )
  expect(await on('all-web')).toEqual(['there'])
})

test("they count with those of network create, as one admission; a name is one composition's", async () => {
  for (let at = 0; at < 7; at++) await say(`network create n${at}`)
  expect(await up(file)).toMatchObject({
    error: 'limited',
    text: 'You have 7 networks and may have 8, so 2 more do not fit; remove one with network rm.',
  })
  expect(await world.store.containers.of(alice.id)).toEqual([])
  expect(await called()).toHaveLength(7)
  await say('network rm n6')
  expect((await up(file, { 'dry-run': true })).error).toBeUndefined()
  expect(await called()).toHaveLength(6)
  const one = (project: string, network: string) =>
    `name: ${project}\nservices: { web: { image: debian, networks: [${network}] } }\nnetworks: { ${network}: }\n`
  await done(one('a-b', 'c'))
  expect((await up(one('a', 'b-c'))).table?.rows[0]![2]).toBe(
    'a-b-c is a network of the composition a-b; call this one something else.',
  )
})

test('K06: where the engine makes none, what was admitted is gone with down', async () => {
  world.host.fake.fail('engine.createNetwork', 'refused', { times: 20 })
  expect(await up(file)).toMatchObject({ error: 'conflict' })
  expect((await world.store.containers.of(alice.id)).map((one) => one.name)).toEqual([])
  world.host.fake.fail('engine.createNetwork', 'refused', { times: 0 })
  await say('compose down shop --yes')
  expect(await called()).toEqual([])
})
