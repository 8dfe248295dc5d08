import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { measureDisk } from '../../src/core/upkeep/disk.ts'
import { createWorld, type World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'

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
  world.host.fake.fail('files.storage', 'broken')
  await world.refused({ ...mallory!, name: 'aaa' }, 'create more --image debian -m 64m', 'limited')
  expect((await world.say(victim!, 'create more --image debian -m 64m')).error).toBeUndefined()
})

test('what was just written counts at once: quota show and df say the same, and nothing more is admitted', async () => {
  const ann = await world.member('ann')
  for (const line of [
    'create web --image debian -m 64m',
    'commit web old:v1',
    'create off --image debian -m 64m',
    'stop off',
  ])
    expect((await world.say(ann, line)).error, line).toBeUndefined()
  const says = async () => {
    const { quota } = (await world.say(ann, 'quota show')).data as { quota: { disk: { used: number } } }
    return [quota.disk.used, ((await world.say(ann, 'df')).data as { used: number }).used]
  }
  const size = 100 * 2 ** 20
  expect(await says()).toEqual([size, size])
  world.host.fake.use({ ownerId: ann.id }, 11 * 2 ** 30)
  for (const line of [
    'commit web new:v1',
    'create more --image debian -m 64m',
    'clone web other',
    'start off',
    'run debian -- true',
    { name: 'build', args: { image: 'made:v1', dockerfile: 'FROM debian' } },
  ])
    expect((await world.refused(ann, line, 'limited')).text).toMatch(/^You use 11\.\S+ of 10g of disk/)
  expect(await says()).toEqual([11 * 2 ** 30 + size, 11 * 2 ** 30 + size])
  world.host.fake.use({ ownerId: ann.id }, 0)
  expect((await world.say(ann, 'commit web new:v1')).error).toBeUndefined()
})

test('a container that could not be stopped to save the disk is not told to have been', async () => {
  const stuck = await world.member('stuck')
  expect((await world.say(stuck, 'create web --image debian -m 64m')).error).toBeUndefined()
  world.host.fake.use({ ownerId: stuck.id }, 20 * 2 ** 30)
  world.host.fake.setFree({ engine: 2 ** 30 })
  const { id } = await world.container(stuck, 'web')
  const notices = () => world.rows(`select text from notices where owner_id = '${stuck.id}'`)
  world.host.fake.fail('engine.stop', 'broken')
  await measure()
  expect(await world.store.containers.byId(id)).toMatchObject({ desired: 'running', trouble: null })
  expect(await notices()).toEqual([])
  await measure()
  const trouble = expect.stringMatching(/^It was stopped because the host's disk is nearly full and you use 20/)
  expect(await world.store.containers.byId(id)).toMatchObject({ desired: 'exited', trouble })
  expect(await notices()).toHaveLength(1)
  // To look at it does not make the reason go away.
  expect((await world.say(stuck, 'inspect web')).data).toMatchObject({ trouble })
  expect((await world.say(stuck, 'ps')).data).toMatchObject([{ trouble }])
  world.host.fake.use({ ownerId: stuck.id }, 0)
  world.host.fake.setFree({ engine: 2 ** 40 })
})

test('an engine that is away says nothing about a storage', async () => {
  const before = await used(victim!)
  world.host.fake.fail('files.storage', 'down')
  await expect(measure()).rejects.toMatchObject({ fault: 'down' })
  expect(await used(victim!)).toBe(before)
})

test('O05: what fills the disk as a job, or as a build, is ended where its container is locked by just that', async () => {
  const filler = await world.member('filler')
  const hold = world.host.fake.hold('engine.exec')
  const lines = ['run debian -m 64m -- fill', 'build made:v1 "FROM debian\nRUN fill"']
  const ends = lines.map((line) => world.say(filler, line))
  const going = async () => (await world.store.containers.of(filler.id)).filter((one) => one.state === 'running')
  await until('both to run', async () => (await going()).length === 2)
  world.host.fake.use({ ownerId: filler.id }, 20 * 2 ** 30)
  world.host.fake.setFree({ engine: 2 ** 30 })
  await measure()
  const left = (await world.host.engine.list()).filter((one) => one.state === 'running').map((one) => one.engineId)
  for (const { engineId } of await going()) expect(left).not.toContain(engineId)
  hold()
  await Promise.all(ends)
  expect(await world.store.images.byRef(filler.id, 'made:v1')).toBeUndefined()
  expect(await world.store.containers.of(filler.id)).toEqual([])
  const others = (await world.store.containers.of(victim!.id)).map((one) => one.state)
  expect(others).toEqual(others.map(() => 'running'))
})
