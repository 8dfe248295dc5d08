import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { reconcile } from '../../src/core/upkeep/reconcile.ts'
import { createWorld, type World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'

let world: World
let mallory: Person
beforeAll(async () => {
  world = await createWorld()
  mallory = await world.member('mallory')
})
afterAll(() => world[Symbol.asyncDispose]())

test('what was granted and revoked does not come up again after the engine was away; what needs no grant does', async () => {
  expect((await world.say(world.admin, 'grant mallory cap:NET_ADMIN')).error).toBeUndefined()
  for (const line of ['create strong --image debian -m 64m --cap-add NET_ADMIN', 'create plain --image debian -m 64m'])
    expect((await world.say(mallory, line)).error).toBeUndefined()
  expect((await world.say(world.admin, 'revoke mallory cap:NET_ADMIN')).error).toBeUndefined()
  expect((await world.container(mallory, 'strong')).state).toBe('running')
  world.host.fake.restart()
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const upkeep = { works: world.works, runner: world.runner, log }
  await reconcile(upkeep, 'local', () => ({ seen: false }))
  await until('all to be done', async () => (await world.store.operations.countOpen()) === 0)
  expect(await world.container(mallory, 'plain')).toMatchObject({ state: 'running', desired: 'running' })
  const strong = await world.container(mallory, 'strong')
  expect(strong).toMatchObject({ desired: 'exited', trouble: expect.stringContaining('NET_ADMIN') })
  expect((await world.host.engine.inspect(strong.engineId!)).state).toBe('exited')
  expect((await world.store.people.usage(mallory.id))!.running).toBe(1)
})
