import ssh2, { type AnyAuthMethod } from 'ssh2'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createSshWorld, makeKey, type Pair, type SshWorld } from './setup.ts'

// Each refusal takes its time; on a busy machine more.
vi.setConfig({ testTimeout: 120_000 })

type Case = { name: string; key: Pair }

let world: SshWorld
let cases: Record<string, Case>
beforeAll(async () => {
  world = await createSshWorld({ patience: () => 25 })
  const eve = (await world.someone('eve')).key
  const mona = (await world.someone('mona')).key
  await world.someone('ada')
  await world.say(world.admin, 'user suspend mona')
  cases = {
    'a name and a key that nobody has': { name: 'nobody-here', key: makeKey() },
    'a member’s name, another’s key': { name: 'ada', key: eve },
    'a member’s name, nobody’s key': { name: 'ada', key: makeKey() },
    'a suspended member': { name: 'mona', key: mona },
    'a container of nobody': { name: 'nobody-here+web', key: eve },
    'no name at all': { name: '!!', key: eve },
  }
})
afterAll(() => world[Symbol.asyncDispose]())

/** Tries the same some times on one connection, which bears with nine. @returns how long each refusal took, in milliseconds */
async function refusals({ name, key }: Case, count: number): Promise<number[]> {
  const times: number[] = []
  const client = new ssh2.Client()
  client.on('error', () => undefined)
  let since = 0
  let at = 0
  client.connect({
    host: '127.0.0.1',
    port: world.port,
    username: 'x',
    authHandler: (_left, _partial, next) => {
      const now = performance.now()
      if (at > 0) times.push(now - since)
      since = performance.now()
      next(at++ < count ? { type: 'publickey', username: name, key: key.private } : (false as unknown as AnyAuthMethod))
    },
  })
  await new Promise<void>((resolve) => client.on('close', () => resolve()))
  return times
}

/** The queries that one refusal makes, by name and in order. */
async function work(one: Case): Promise<string[]> {
  const done: string[] = []
  const { store } = world
  const spies = (['keys', 'people', 'audit', 'codes', 'guesses', 'sessions'] as const).flatMap((table) => {
    const methods = (store as unknown as Record<string, Record<string, unknown> | undefined>)[table] ?? {}
    return Object.keys(methods).map((name) => {
      const real = methods[name] as (...args: unknown[]) => unknown
      return vi.spyOn(methods as Record<string, typeof real>, name).mockImplementation((...args) => {
        done.push(`${table}.${name}`)
        return real.apply(methods, args)
      })
    })
  })
  expect(await refusals(one, 1)).toHaveLength(1)
  for (const spy of spies) spy.mockRestore()
  return done
}

test('F08: whatever was wrong, a refusal makes the same queries', async () => {
  const done = new Map<string, string[]>()
  for (const [what, one] of Object.entries(cases)) done.set(what, await work(one))
  expect([...done]).toEqual(Object.keys(cases).map((what) => [what, ['keys.owner', 'audit.add']]))
})

test('F08: nothing can be told from how long it takes', async () => {
  // Side by side, so that a busy machine is so for both. Of a coin, 40 throws are outside of this once in a million times.
  const [known, ...others] = Object.values(cases)
  for (const other of others) {
    const slower: boolean[] = []
    for (let n = 0; n < 5; n++) {
      const asked = n % 2 === 0 ? [known!, other] : [other, known!]
      const [first, second] = await Promise.all(asked.map((one) => refusals(one, 8)))
      for (const [at, time] of first!.entries()) slower.push(time > second![at]! === (n % 2 === 0))
    }
    expect(slower).toHaveLength(40)
    const count = slower.filter(Boolean).length
    expect(count).toBeGreaterThan(4)
    expect(count).toBeLessThan(36)
  }
})
