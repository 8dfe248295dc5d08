import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttp } from '../../src/adapters/http/index.ts'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'

let world: World
let [mallory, ada]: Person[] = []
let http: ReturnType<typeof createHttp>
let tokens: string[]
beforeAll(async () => {
  world = await createWorld()
  ;[mallory, ada] = [await world.member('mallory'), await world.member('ada')]
  for (const who of [mallory, ada])
    expect((await world.say(who, 'create noisy --image debian -m 64m')).error).toBeUndefined()
  tokens = [(await world.say(mallory, 'token new one')).code!, (await world.say(mallory, 'token new two')).code!]
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  http = createHttp({ door: world.door, log: log as never, version: '0', limits: { large: 2 } })
})
afterAll(() => world[Symbol.asyncDispose]())

const ask = (path: string, at = 0, init: RequestInit = {}) =>
  http.fetch(
    new Request(`http://dcm/v1/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${tokens[at]}`, ...(init.headers as Record<string, string>) },
    }),
    { address: '127.0.0.1' },
  )
const line = (text: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ line: text }),
})

test('a log of control characters is a megabyte all the same', async () => {
  const { engineId } = await world.container(mallory!, 'noisy')
  world.host.fake.write(engineId!, `${'\u0001'.repeat(2 ** 18)}\n`)
  const reply = await world.say(mallory!, 'logs noisy')
  expect(reply.code!.length).toBeLessThanOrEqual(2 ** 20)
  expect(reply.code!.slice(-6)).toBe('\\u0001')
  expect(reply.data).toMatchObject({ cut: true })
})

test('answers that are asked for and not read are kept for the member so many at a time, whatever the token', async () => {
  const unread = [await ask('logs?container=noisy'), await ask('line', 1, line('logs noisy'))]
  expect(unread.map((answer) => answer.status)).toEqual([200, 200])
  const third = await ask('logs?container=noisy', 1)
  expect(third.status).toBe(429)
  expect(await third.json()).toMatchObject({ error: 'limited' })
  // What is small is answered, and a HEAD keeps nothing.
  expect((await ask('ps')).status).toBe(200)
  expect((await ask('logs?container=noisy&tail=0')).status).toBe(200)
  // Reading one and giving up the other makes room again.
  expect(((await unread[0]!.json()) as { code: string }).code.length).toBeGreaterThan(2 ** 19)
  await unread[1]!.body!.cancel()
  for (let tries = 0; tries < 3; tries++) {
    const again = await ask('logs?container=noisy')
    expect(again.status).toBe(200)
    await again.text()
  }
  for (let tries = 0; tries < 3; tries++)
    expect((await ask('logs?container=noisy', 0, { method: 'HEAD' })).status).toBe(200)
})

test("one member's logs take a few of the engine's connections, and nobody else waits for them", async () => {
  const logs = () => world.host.fake.calls.filter((call) => call.method === 'engine.logs').length
  const before = logs()
  const release = world.host.fake.hold('engine.logs')
  const log = (person: Person) =>
    world.door.handle({ actor: { person, surface: 'http' }, input: { line: 'logs noisy --tail 1' } })
  let refused = 0
  const asked = Array.from({ length: 26 }, () =>
    log(mallory!).then((reply) => (reply.error === 'limited' ? refused++ : undefined, reply.error)),
  )
  // Three are with the engine, twenty stand in line, and what is more is told so at once.
  await until(() => refused === 3 && logs() === before + 3)
  const others = log(ada!)
  await until(() => logs() === before + 4)
  release()
  expect((await others).error).toBeUndefined()
  expect((await Promise.all(asked)).filter((error) => error === undefined)).toHaveLength(23)
  expect((await log(mallory!)).error).toBeUndefined()
})

test('J10 twenty commits that take long keep nobody from listing', async () => {
  const most = 'containers=30 running=30 memory=8g cpus=60 pids=8000 images=30'
  expect((await world.say(world.admin, `quota set mallory ${most}`)).error).toBeUndefined()
  const names = Array.from({ length: 20 }, (_, at) => `slow${at}`)
  for (const name of names)
    expect((await world.say(mallory!, `create ${name} --image debian -m 64m`)).error).toBeUndefined()
  const commits = () => world.host.fake.calls.filter((call) => call.method === 'engine.commit').length
  const before = commits()
  const release = world.host.fake.hold('engine.commit')
  const saved = names.map((name) => world.say(mallory!, `commit ${name} ${name}:v1`))
  await until('a commit to be under way', () => commits() > before)
  for (const person of [ada!, mallory!]) expect((await world.say(person, 'ps')).error).toBeUndefined()
  expect((await world.say(ada!, 'stop noisy')).error).toBeUndefined()
  release()
  expect((await Promise.all(saved)).map((reply) => reply.error)).toEqual(names.map(() => undefined))
})
