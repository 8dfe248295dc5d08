import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../../src/core/model/person.ts'
import { defineOperation } from '../../../src/core/operation/define.ts'
import type { Log } from '../../../src/core/model/log.ts'
import { createRunner } from '../../../src/core/operation/runner.ts'
import { DcmError } from '../../../src/core/reply/error.ts'
import { ok } from '../../../src/core/reply/reply.ts'
import { createWorld, type World } from '../door/world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
})
afterAll(() => world[Symbol.asyncDispose]())

type Ends = 'dies' | 'works' | 'is put back'
let count = 0

/** One operation of a single step, and lives of a process that take it up one after the other. */
async function story({ forward }: { forward?: true } = {}) {
  const holder = `life${++count}`
  const subject = `story:${count}`
  let now: Ends = 'dies'
  let entered = Promise.withResolvers<void>()
  const seen = { steps: 0, undone: 0, logged: [] as string[] }
  const operation = defineOperation<'wait', Record<string, never>>({
    kind: 'wait',
    subject: () => subject,
    doing: 'being tried',
    admit: async () => ({}),
    steps: [
      {
        name: 'try',
        ...(forward ? { forward } : {}),
        async do({ signal }) {
          seen.steps++
          entered.resolve()
          if (now === 'dies') return new Promise<never>(() => {})
          if (now === 'works') return
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
          throw new DcmError('unavailable', 'DCM is stopping.')
        },
        undo: async () => void seen.undone++,
      },
    ],
    reply: () => ok('It is done.'),
  })
  const hear: Log['error'] = (_, message) => void seen.logged.push(message)
  const log: Log = { debug() {}, info() {}, warn() {}, error: hear }
  const born = () => createRunner({ works: world.works, operations: [operation], holder: `${holder}.1`, log })
  const asker = {
    ...{ ownerId: alice.id, actorId: alice.id, actorName: 'alice', asName: null, surface: 'http', command: 'wait' },
    ...{ address: null, fingerprint: null },
    ...{ target: 'web', requestId: subject },
  }
  let runner = born()
  const id = await runner.begin('wait', { containerId: 'c', byId: alice.id, lives: 1000 }, asker)
  await entered.promise
  return {
    seen,
    row: async () => (await world.store.operations.byId(id))!,
    /** What runs ends without a word, and the next life takes it up: until its step is entered, or nothing runs. */
    async next(ends: Ends) {
      await runner.stop(0)
      await world.store.operations.abandon(`${holder}.`)
      now = ends
      entered = Promise.withResolvers()
      runner = born()
      await runner.resume()
      let waits = true
      const idle = async () => {
        while (waits && runner.running() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await Promise.race([entered.promise, idle()])
      waits = false
    },
    ended: () => runner.wait(id, { wait: 10_000 }),
  }
}

describe('S1 a stored operation that takes its process down is not resumed for ever', () => {
  test('it is undone after five lives', async () => {
    const one = await story()
    for (let lives = 1; lives < 5; lives++) await one.next('dies')
    expect(one.seen).toEqual({ steps: 5, undone: 0, logged: [] })
    await one.next('dies')
    expect(await one.ended()).toMatchObject({
      state: 'failed',
      reply: {
        error: 'internal',
        text: expect.stringMatching(/^DCM ended 5 times in a row .* given up; tell an admin/),
      },
    })
    expect(one.seen).toEqual({ steps: 5, undone: 1, logged: [expect.stringContaining('it is undone')] })
  })

  test('what only goes forward waits, longer each time, and is tried by one life at a time', async () => {
    const one = await story({ forward: true })
    for (let lives = 1; lives < 5; lives++) await one.next('dies')
    await one.next('dies')
    expect(one.seen).toEqual({ steps: 5, undone: 0, logged: [expect.stringContaining('it waits')] })
    const rest = async () => (await one.row()).nextAt.getTime() - Date.now()
    expect((await one.row()).status).toBe('open')
    expect(await rest()).toBeLessThan(16_000)
    await world.sql(`update operations set next_at = next_at + interval '1 hour'`)
    await one.next('dies')
    expect(one.seen.steps, 'a start does not hurry it').toBe(5)
    let longest = 0
    for (const steps of [6, 6, 7]) {
      const { id, fence } = await one.row()
      await world.store.operations.postpone(id, fence, 0, {})
      await one.next(steps === 7 ? 'works' : 'dies')
      expect(one.seen.steps).toBe(steps)
      if (steps === 6) longest = Math.max(longest, await rest())
    }
    expect(longest).toBeGreaterThan(30_000)
    expect(await one.ended()).toMatchObject({ state: 'done' })
  })

  test('a life that puts it back counts for nothing, however many there are', async () => {
    const one = await story()
    for (let lives = 0; lives < 3; lives++) await one.next('dies')
    for (let lives = 0; lives < 7; lives++) await one.next('is put back')
    for (let lives = 0; lives < 3; lives++) await one.next('dies')
    await one.next('works')
    expect(await one.ended()).toMatchObject({ state: 'done' })
    expect(one.seen).toEqual({ steps: 15, undone: 0, logged: [] })
  })
})
