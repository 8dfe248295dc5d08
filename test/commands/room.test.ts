import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  for (const line of [
    'create up --image debian',
    'create down --image debian',
    'commit up kept:v1',
    'create copy --image kept:v1',
    'commit up loose:v1',
    'stop down',
    'stop copy',
  ])
    expect((await world.say(alice, line)).error, line).toBeUndefined()
})
afterAll(() => world[Symbol.asyncDispose]())

test('df shows what the disk is used by, and warns where it is all used', async () => {
  const up = await world.container(alice, 'up')
  world.host.fake.use({ ownerId: alice.id }, 1000)
  await world.store.containers.setLayers(new Map([[up.engineId!, 24]]))
  const { text, data } = await world.say(alice, 'df')
  expect(text).toMatch(/^You use 200m of 10g of disk\.$/)
  const size = 100 * 2 ** 20
  expect(data).toMatchObject({
    used: 2 * size + 1024,
    storage: 1000,
    containers: [
      { name: 'copy', size: 0 },
      { name: 'down', size: 0 },
      { name: 'up', size: 24 },
    ],
    images: [
      { image: 'kept:v1', size },
      { image: 'loose:v1', size },
    ],
  })
  await world.say(world.admin, 'quota set alice disk=100m')
  expect(await world.say(alice, 'df')).toMatchObject({ tone: 'warn', actions: [{ line: 'prune --dry-run' }] })
  await world.say(world.admin, 'quota unset alice disk')
})

test('prune lists first, and nothing happens until it is confirmed', async () => {
  const before = world.host.fake.calls.length
  const rows = [
    ['container', 'copy'],
    ['container', 'down'],
    ['image', 'loose:v1'],
  ]
  const dry = await world.say(alice, 'prune --dry-run')
  expect(dry.table?.rows.map((row) => row.slice(0, 2))).toEqual(rows)
  const asked = await world.say(alice, 'prune')
  expect(asked).toMatchObject({ error: 'conflict', data: { confirm: true, line: 'prune --yes' } })
  expect(asked.table?.rows.map((row) => row.slice(0, 2))).toEqual(rows)
  expect(world.host.fake.calls.slice(before).map((call) => call.method)).toEqual([])
})
