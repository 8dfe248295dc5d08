import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { measureDisk } from '../../src/core/upkeep/disk.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [mallory, victim]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[mallory, victim] = [await world.member('mallory'), await world.member('victim')]
  for (const who of [mallory, victim])
    expect((await world.say(who, 'create web --image debian -m 64m')).error).toBeUndefined()
})
afterAll(() => world[Symbol.asyncDispose]())

const measure = () =>
  measureDisk(
    { works: world.works, runner: world.runner, log: { debug() {}, info() {}, warn() {}, error() {} } },
    'local',
  )
const used = async (who: Person) => (await world.store.people.usage(who.id))!.disk

test("a storage that nobody can measure counts as full, and stops nobody else's from being measured", async () => {
  await measure()
  const before = await used(mallory!)
  world.host.fake.use({ ownerId: victim!.id }, 12_345)
  // They are measured by name: mallory's fails first.
  world.host.fake.fail('files.storage', 'broken')
  await world.sql(`update people set name = 'aaa' where id = '${mallory!.id}'`)
  await measure()
  expect(await used(victim!)).toBeGreaterThanOrEqual(12_345)
  expect(await used(mallory!)).toBeGreaterThan(before)
  await world.refused({ ...mallory!, name: 'aaa' }, 'create more --image debian -m 64m', 'limited')
  expect((await world.say(victim!, 'create more --image debian -m 64m')).error).toBeUndefined()
})

test('an engine that is away says nothing about a storage', async () => {
  const before = await used(victim!)
  world.host.fake.fail('files.storage', 'down')
  await expect(measure()).rejects.toMatchObject({ fault: 'down' })
  expect(await used(victim!)).toBe(before)
})
