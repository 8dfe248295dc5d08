import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  for (const who of [alice, bob])
    for (const line of [
      'create up --image debian',
      'create down --image debian',
      'commit up kept:v1',
      'create copy --image kept:v1',
      'commit up loose:v1',
      'stop down',
      'stop copy',
    ])
      expect((await world.say(who, line)).error, line).toBeUndefined()
})
afterAll(() => world[Symbol.asyncDispose]())

test("prune removes one's own that is stopped or unused, each written down, and nothing of others", async () => {
  const from = { address: '192.0.2.7', fingerprint: 'SHA256:laptop' }
  const { reply, rows } = await world.tell(alice!, 'prune --yes', { actor: from })
  expect(reply).toMatchObject({
    text: 'Removed 2 containers and one image; /storage is untouched.',
    data: { containers: ['copy', 'down'], images: ['loose:v1'], kept: [] },
  })
  expect(rows.map((row) => row.target).toSorted()).toEqual(['copy', 'down', 'loose:v1', null].toSorted())
  for (const row of rows) expect(row, String(row.target)).toMatchObject(from)
  expect((await world.store.containers.of(alice!.id)).map((one) => one.name)).toEqual(['up'])
  // What only a container that went was made from goes at the next one.
  expect((await world.store.images.of(alice!.id)).map((one) => one.ref)).toEqual(['kept:v1'])
  expect((await world.store.containers.of(bob!.id)).map((one) => one.name)).toEqual(['copy', 'down', 'up'])
  expect((await world.store.images.of(bob!.id)).map((one) => one.ref)).toEqual(['kept:v1', 'loose:v1'])
})

test('what is started after it was listed stays', async () => {
  const [copy, down] = [await world.container(bob!, 'copy'), await world.container(bob!, 'down')]
  const release = world.host.fake.hold('engine.remove')
  const pruning = world.say(bob!, 'prune --yes --only containers')
  await expect.poll(() => world.store.operations.openOn(`container:${copy.id}`)).toBeDefined()
  expect((await world.say(bob!, 'start down')).error).toBeUndefined()
  release()
  expect(await pruning).toMatchObject({
    tone: 'warn',
    text: 'Removed one container and no images; /storage is untouched. down was started meanwhile, so it stays.',
    data: { containers: ['copy'] },
  })
  expect((await world.container(bob!, 'down')).id).toBe(down.id)
})

test('K: a process that dies in the middle goes on where it was, and removes nothing twice', async () => {
  await world.say(bob!, 'stop down')
  await world.say(bob!, 'create other --image debian')
  await world.say(bob!, 'stop other')
  const ids = await Promise.all(['down', 'other'].map(async (name) => (await world.container(bob!, name)).id))
  const input = JSON.stringify({ ownerId: bob!.id, containers: ids, images: [] })
  // The first container is gone and told of; the prune itself was cut off before its end was stored.
  const { reply } = await world.tell(bob!, 'prune --yes --only containers')
  expect(reply.data).toMatchObject({ containers: ['down', 'other'] })
  const [row] = await world.rows<{ id: string }>(
    "select id from operations where kind = 'prune' order by created_at desc limit 1",
  )
  await world.sql(
    `update operations set status = 'open', input = '${input}', step = 0, reply = null, lease_until = null, finished_at = null, next_at = now() where id = '${row!.id}'`,
  )
  const before = world.host.fake.calls.length
  await world.runner.resume()
  const again = await world.runner.wait(row!.id, { wait: 10_000 })
  expect(again?.reply?.data).toMatchObject({ containers: ['down', 'other'] })
  expect(world.host.fake.calls.slice(before).map((call) => call.method)).toEqual([])
})

test('a stopped container of one whom an admin acts for is theirs', async () => {
  await world.say(alice!, 'stop up')
  expect((await world.say(world.admin, 'prune --yes --as alice')).data).toMatchObject({ containers: ['up'] })
})
