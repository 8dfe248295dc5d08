import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../../src/core/model/person.ts'
import { defineOperation, type Operation } from '../../../src/core/operation/define.ts'
import { createRunner } from '../../../src/core/operation/runner.ts'
import { ok } from '../../../src/core/reply/reply.ts'
import { createWorld, type World } from '../door/world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
})
afterAll(() => world[Symbol.asyncDispose]())

let count = 0
const logged: string[] = []
const log = { debug() {}, info() {}, warn() {}, error: (_: unknown, message: string) => void logged.push(message) }
async function begin(operation: Operation) {
  const runner = createRunner({ works: world.works, operations: [operation], holder: `holder${++count}`, log })
  const id = await runner.begin(
    'wait',
    { containerId: 'c', byId: alice.id, lives: 1000 },
    {
      ...{ ownerId: alice.id, actorId: alice.id, actorName: 'alice', asName: null, surface: 'http', command: 'wait' },
      ...{ address: null, fingerprint: null, target: 'web', requestId: `lives${count}` },
    },
  )
  return { runner, id }
}
const plain = { kind: 'wait', doing: 'being tried', subject: () => `lives:${count}`, admit: async () => ({}) } as const

test('a step reads what one before has found as another life would read it', async () => {
  const found: unknown[] = []
  const { runner, id } = await begin(
    defineOperation<'wait', { at?: Date }>({
      ...plain,
      steps: [
        { name: 'find', do: async () => ({ at: new Date(0) }) },
        { name: 'use', do: async ({ state }) => void found.push(state.at) },
      ],
      reply: () => ok('It is done.'),
    }),
  )
  expect(await runner.wait(id, { wait: 10_000 })).toMatchObject({ state: 'done' })
  expect(found).toEqual(['1970-01-01T00:00:00.000Z'])
})

test('one that this process has let run out goes on once, and is waited for', async () => {
  const signals: AbortSignal[] = []
  const gate = Promise.withResolvers<void>()
  const { runner, id } = await begin(
    defineOperation<'wait', Record<string, never>>({
      ...plain,
      steps: [
        {
          name: 'try',
          async do({ signal }) {
            signals.push(signal)
            await (signals.length === 1 ? new Promise((end) => signal.addEventListener('abort', end)) : gate.promise)
          },
        },
      ],
      reply: () => ok('It is done.'),
    }),
  )
  await expect.poll(() => signals.length).toBe(1)
  await world.sql(`update operations set lease_until = now() - interval '1 second' where id = '${id}'`)
  await runner.resume()
  await expect.poll(() => signals.map((signal) => signal.aborted)).toEqual([true, false])
  // The first has left, and what goes on is still known of.
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(runner.running()).toBe(1)
  gate.resolve()
  expect(await runner.wait(id, { wait: 10_000 })).toMatchObject({ state: 'done', reply: { text: 'It is done.' } })
  await expect.poll(() => runner.running()).toBe(0)
})

test('what was done and cannot be put into words is done all the same, and the log says why', async () => {
  const { runner, id } = await begin(
    defineOperation<'wait', Record<string, never>>({
      ...plain,
      steps: [{ name: 'try', do: async () => {} }],
      reply: () => {
        throw new TypeError('no words')
      },
    }),
  )
  expect(await runner.wait(id, { wait: 10_000 })).toMatchObject({
    state: 'done',
    reply: { tone: 'warn', text: 'It is done, but DCM cannot say how; an admin finds why in the log.' },
  })
  expect(logged).toEqual(['what an operation did could not be put into words'])
})
