import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { commands } from '../../src/commands/index.ts'
import { createHooks } from '../../src/core/hooks/receive.ts'
import type { Person } from '../../src/core/model/person.ts'
import { createRunner } from '../../src/core/operation/runner.ts'
import { expire } from '../../src/core/upkeep/clock.ts'
import { operations } from '../../src/operations/index.ts'
import { createWorld, type World } from '../core/door/world.ts'
import { createDatabase } from '../setup/postgres.ts'
import { senders } from '../stand-ins/forges.ts'

const stack = new AsyncDisposableStack()
const log = { debug() {}, info() {}, warn() {}, error() {} }
let world: World
let alice: Person
let token: string
beforeAll(async () => {
  const database = stack.use(await createDatabase())
  world = stack.use(await createWorld({ database: database.url }))
  alice = await world.member('alice')
  for (const [who, line] of [
    [world.admin, 'grant alice cap:NET_RAW --for 1h'],
    [alice, 'create web --image debian -m 64m --ttl 1h --cap-add NET_RAW'],
  ] as const)
    expect((await world.say(who, line)).error).toBeUndefined()
  token = (await world.say(alice, 'token new ci --for 1h')).code!
})
afterEach(() => void vi.useRealTimers())
afterAll(() => stack.disposeAsync())

/** The clock of this process alone: PostgreSQL's goes on as it was, and so do the monotonic ones. */
const jump = (hours: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 })

describe.each([2, -2])('M06 the clock of the process is %d hours off', (hours) => {
  test('what was given for an hour is there, neither ended nor prolonged', async () => {
    jump(hours)
    expect(
      (await world.door.identify({ kind: 'token', secret: token }, { surface: 'http', address: '::1' })).person?.name,
    ).toBe('alice')
    expect((await world.say(alice, 'stop web')).error).toBeUndefined()
    expect((await world.say(alice, 'start web')).error).toBeUndefined()
    expect((await world.say(alice, 'grants')).data).toMatchObject([{ thing: 'cap:NET_RAW' }])
    await expire({ works: world.works, runner: world.runner, log }, 'local')
    expect((await world.say(alice, 'ps')).data).toMatchObject([{ name: 'web', state: 'running' }])
  })

  test('what is under way stays with whoever does it, and is done once', async () => {
    const go = world.host.fake.hold('engine.stop')
    const stops = () => world.host.fake.calls.filter((call) => call.method === 'engine.stop').length
    const before = stops()
    const how = { idempotencyKey: `jump${hours}` }
    const first = world.say(alice, 'restart web -t 1', how)
    await vi.waitUntil(() => stops() > before, 20_000)
    jump(hours)
    const other = createRunner({ works: world.works, operations, holder: 'other', log })
    await other.resume()
    const again = await world.say(alice, 'restart web -t 1', { ...how, wait: 0 })
    expect(again.operation).toMatchObject({ state: 'running' })
    go()
    expect(await first).toMatchObject({ operation: { id: again.operation!.id, state: 'done' } })
    expect(stops()).toBe(before + 1)
    await other.stop(0)
  })

  test('only the window of a signature is by it', async () => {
    const { data } = await world.say(alice, `hook new at${hours + 2} --do "restart web -t 1" --verify standard`)
    const { id, secret } = data as { id: string; secret: string }
    const hooks = createHooks({ works: world.works, commands, holder: 'hooks', log, handle: world.door.handle })
    const knock = () => {
      const at = Math.floor(Date.now() / 1000)
      const { headers, body } = senders.standard(secret, { delivery: `d${at}`, at })
      return { id, header: (name: string) => new Headers(headers).get(name), body: Buffer.from(body), wait: 20_000 }
    }
    const before = knock()
    jump(hours)
    await expect(hooks.receive(before)).rejects.toMatchObject({ code: 'unlinked' })
    expect(await hooks.receive(knock())).toMatchObject({ reply: { text: 'web was restarted.' } })
    hooks.stop()
  })
})
