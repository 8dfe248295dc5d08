import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
const must = async (line: string, who = alice!) => {
  const reply = await world.say(who, line)
  expect(reply.error, `${line}: ${reply.text}`).toBeUndefined()
  return reply
}
const refs = async (who = alice!) => (await world.store.images.of(who.id)).map((image) => image.ref)
const tags = async () => (await world.host.engine.imageTags()).map((tag) => tag.ref).toSorted()

beforeAll(async () => {
  world = await createWorld({ settings: { recipes: new Map([['debian', '/fake/images/debian']]) } })
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  await must('create web --image debian')
  await must('commit web web:v1')
  await must('create web --image debian', bob)
  await must('commit web web:v1', bob)
})
afterAll(() => world[Symbol.asyncDispose]())

test('B10 an image that a commit has replaced while it was being removed stays, with its tag', async () => {
  await must('commit web moved:v1')
  const old = (await world.store.images.byRef(alice!.id, 'moved:v1'))!
  const untag = world.host.engine.untag.bind(world.host.engine)
  world.host.engine.untag = async (ref) => {
    world.host.engine.untag = untag
    await untag(ref)
    await must('commit web moved:v1')
  }
  expect(await world.say(alice!, 'rmi -f moved:v1')).toMatchObject({
    error: 'conflict',
    text: 'moved:v1 was replaced while it was being removed; the new one is kept.',
  })
  const kept = (await world.store.images.byRef(alice!.id, 'moved:v1'))!
  expect(kept.engineRef).not.toBe(old.engineRef)
  expect(await tags()).toContain(kept.engineRef)
  await must('rmi -f moved:v1')
  expect(await tags()).not.toContain(kept.engineRef)
})

test('B10 two names of one image are removed one by one, and the last takes the image', async () => {
  const image = (await world.store.images.byRef(alice!.id, 'web:v1'))!
  await must('image tag web:v1 web:stable')
  expect(await refs()).toEqual(['web:stable', 'web:v1'])
  await must('rmi -f web:v1')
  expect(await world.host.engine.image(image.engineId)).toBeDefined()
  await must('create again --image web:stable')
  await must('rm -f again')
  await must('rmi -f web:stable')
  expect(await world.host.engine.image(image.engineId)).toBeUndefined()
  expect(await refs(bob!)).toEqual(['web:v1'])
  await must('commit web web:v1')
})

test('what is removed counts no more, once', async () => {
  const disk = async () => (await world.store.people.usage(alice!.id))!.disk
  const before = await disk()
  await must('commit web gone')
  const { size } = (await world.store.images.byRef(alice!.id, 'gone:latest'))!
  expect(await disk()).toBe(before + size)
  await must('rmi -f gone')
  expect(await disk()).toBe(before)
})

test('B11 a name that is taken moves, and what it named before is dropped', async () => {
  await must('commit web web:v2')
  const before = await tags()
  await must('tag web:v1 web:v2')
  expect(await tags()).toHaveLength(before.length)
  const [one, two] = [
    await world.store.images.byRef(alice!.id, 'web:v1'),
    await world.store.images.byRef(alice!.id, 'web:v2'),
  ]
  expect(two!.engineId).toBe(one!.engineId)
  await must('rmi -f web:v2')
})

test('whoever takes a name that an image has hears what becomes of that one', async () => {
  const hides = 'For you it stands before the offered image of this name, until rmi.'
  const replaces = 'The image that had this name before is gone; containers made from it go on.'
  expect((await must('image tag web:v1 bare')).text).toContain(hides)
  const { text } = await must('commit web bare')
  expect(text).toContain(hides)
  expect(text).toContain(replaces)
  expect((await must('image tag web:v1 mine')).text).not.toMatch(/before/)
  expect((await must('commit web mine')).text).toContain(replaces)
  await must('rmi -f bare')
  await must('rmi -f mine')
  // One that only some may create from is not told of.
  await must('image offer debian:bookworm --name secret --restricted', world.admin)
  expect((await must('image tag web:v1 secret')).text).not.toContain('offered')
  await must('rmi -f secret')
  expect((await world.refused(alice!, 'rmi secret', 'not_found')).text).toMatch(/^You have no image called secret/)
  await must('image withdraw secret --yes', world.admin)
})

test('an offered image is no image of whoever may create from it, and both are told what works', async () => {
  expect(await world.refused(alice!, 'rmi debian', 'not_found')).toMatchObject({
    text: 'debian:latest is offered by the admins and is no image of yours; commit makes one of a container.',
    actions: [{ line: 'images' }],
  })
  expect(await world.refused(world.admin, 'rmi debian', 'not_found')).toMatchObject({
    text: expect.stringContaining('offered to members'),
    actions: [{ line: 'image withdraw debian:latest' }],
  })
})

test('a second name counts in the quota, and no name of another or of itself is given', async () => {
  await world.say(world.admin, 'quota set alice images=1')
  expect(await world.say(alice!, 'image tag web:v1 web:more')).toMatchObject({ error: 'limited' })
  await world.say(world.admin, 'quota unset alice images')
  expect(await world.say(alice!, 'image tag web:v1 web:v1')).toMatchObject({ error: 'conflict' })
  await world.refused(alice!, 'image tag debian mine:v1', 'not_found')
  expect(await refs()).toEqual(['web:v1'])
})

test('K02 a tag that fails or whose answer is lost leaves one name or none', async () => {
  const before = await tags()
  world.host.fake.fail('engine.tag', 'refused')
  expect(await world.say(alice!, 'image tag web:v1 web:x')).toMatchObject({ error: 'conflict' })
  expect([await refs(), await tags()]).toEqual([['web:v1'], before])
  world.host.fake.fail('engine.tag', 'down', { after: true })
  await must('image tag web:v1 web:x')
  expect(await refs()).toEqual(['web:v1', 'web:x'])
  await must('rmi -f web:x')
  expect(await tags()).toEqual(before)
})

test('an offered image is made anew, who runs the one before is told, and what fails changes nothing', async () => {
  await must('create old --image debian')
  const before = (await world.store.images.byRef(null, 'debian:latest'))!
  const all = await tags()
  for (const method of ['engine.build', 'engine.imageHas', 'engine.tag'] as const) {
    world.host.fake.fail(method, 'refused')
    expect((await world.say(world.admin, 'image rebuild debian')).error, method).toBeDefined()
    expect(await world.store.images.byRef(null, 'debian:latest')).toEqual(before)
    expect(await tags()).toEqual(all)
  }
  const said = await must('image rebuild debian', world.admin)
  expect((said.data as { used_by: string[] }).used_by).toContain('alice/old')
  const after = (await world.store.images.byRef(null, 'debian:latest'))!
  expect(after.engineId).not.toBe(before.engineId)
  expect((await must('inspect old')).fields!['its image']).toContain('made anew since')
  await must('redeploy old')
  expect((await must('inspect old')).fields!['its image']).toBeUndefined()
  await world.refused(alice!, 'image rebuild debian', 'denied')
  expect(await world.say(world.admin, 'image rebuild bare')).toMatchObject({
    error: 'conflict',
    text: expect.stringContaining('bare:latest was not made by DCM'),
  })
})
