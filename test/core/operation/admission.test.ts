import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemAsker } from '../../../src/core/operation/asker.ts'
import { defineOperation } from '../../../src/core/operation/define.ts'
import { createRunner } from '../../../src/core/operation/runner.ts'
import { ok } from '../../../src/core/reply/reply.ts'
import { createWorld, type World } from '../door/world.ts'

let world: World
beforeAll(async () => void (world = await createWorld()))
afterAll(() => world[Symbol.asyncDispose]())

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
/** One that is done to a container, and one that admits as many of them with it as it says. */
const part = defineOperation<'stop', Record<string, never>>({
  kind: 'stop',
  subject: ({ containerId }) => `container:${containerId}`,
  doing: 'being stopped',
  admit: async () => ({}),
  steps: [],
  reply: () => ok('It is done.'),
})
const whole = defineOperation<'wait', Record<string, never>>({
  kind: 'wait',
  subject: (_, id) => `whole:${id}`,
  doing: 'being waited for',
  async admit(_tx, { containerId, lives }, _id, _works, also) {
    for (let at = 0; at < lives; at++) await also!('stop', { containerId, seconds: 1 }, 'web')
    return {}
  },
  steps: [],
  reply: () => ok('It is done.'),
})

test('what is considered is refused in the words that it would be refused with, and leaves nothing', async () => {
  const runner = createRunner({
    ...{ works: world.works, operations: [part, whole], holder: 'here', log: quiet },
    storesOnly: true,
  })
  const asker = systemAsker(world.works.random, 'wait', { ownerId: null, target: 'all' })
  const refusals = async (containerId: string, lives: number) =>
    Promise.all(
      [
        async () => runner.consider('wait', { containerId, byId: 'p', lives }, asker),
        async () => void (await runner.begin('wait', { containerId, byId: 'p', lives }, asker)),
      ].map((refused) => refused().catch((error: unknown) => (error as Error).message)),
    )
  // Two parts on one thing.
  const twice = 'web is being changed; try again when that has ended.'
  expect(await refusals('one', 2)).toEqual([twice, twice])
  await runner.consider('wait', { containerId: 'one', byId: 'p', lives: 1 }, asker)
  expect(await world.store.operations.countOpen()).toBe(0)

  await runner.begin('stop', { containerId: 'one', seconds: 1 }, asker)
  const busy = 'web is being stopped; try again when that has ended.'
  expect(await refusals('one', 1)).toEqual([busy, busy])
  expect(await world.store.operations.countOpen()).toBe(1)
})
