import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  for (const who of [alice, bob]) await must('create web --image debian -m 64m', who)
  await must('commit web x:1', bob)
})
afterAll(() => world[Symbol.asyncDispose]())

const must = async (line: string, who = alice!) => {
  const reply = await world.say(who, line)
  expect(reply.error, `${line}: ${reply.text}`).toBeUndefined()
  return reply
}
/** What every name but alice's own stands for in the engine. */
const others = async () => {
  const images = (await world.store.images.all()).filter((image) => image.ownerId !== alice!.id)
  return Promise.all(
    images.map(async (image) => [
      image.ref,
      image.engineId,
      (await world.host.engine.image(image.engineRef))?.engineId,
    ]),
  )
}

describe("B01 a name of an image is its owner's own", () => {
  test.each([
    'dcm/debian-ssh',
    'bob/x',
    'bob/x:1',
    'library/x',
    'docker.io/library/debian',
    'localhost:5000/x',
    'debian@sha256:aa',
    'sha256:aa',
    'deadbeef',
    '0123456789ab',
    'UPPER',
    'a..b',
    '-x',
    '.',
    '..',
    'x:y:z',
    'x:-t',
    `${'a'.repeat(61)}`,
    `x:${'t'.repeat(64)}`,
    'x\u0000',
    'x\ny',
    'x y',
    'dcm/test/x',
    '',
  ])('%j is none', async (ref) => {
    await world.refused(alice!, { name: 'commit', args: { container: 'web', image: ref } }, 'usage')
  })

  test.each(['debian', 'debian:latest', 'x:1'])("%s is alice's, and nothing of anybody else moves", async (ref) => {
    const before = await others()
    await must(`commit web ${ref}`)
    expect(await others()).toEqual(before)
    const commit = world.host.fake.calls.findLast((call) => call.method === 'engine.commit')!
    // What a member names never becomes a name in the engine.
    expect(commit.args[1]).toMatchObject({ ref: expect.stringMatching(/^dcm\/test\/[a-z0-9]{12}:latest$/) })
    expect((await must('create y --image debian -m 64m', bob)).data).toMatchObject({ image: 'debian:latest' })
    const theirs = await world.container(bob!, 'y')
    expect(theirs.imageId).toBe((await world.store.images.byRef(null, 'debian:latest'))!.id)
    await must('rm -f y', bob)
    await must(`rmi -f ${ref}`)
    expect(await others()).toEqual(before)
  })
})

describe('B10 removing', () => {
  test("takes one's own name, never another's, nor one that is in use", async () => {
    await must('commit web a:1')
    await must('create copy --image a:1 -m 64m')
    const { imageId } = await world.container(alice!, 'copy')
    const engineId = (await world.store.images.byId(imageId!))!.engineId
    expect((await world.refused(alice!, 'rmi -f a:1', 'conflict')).text).toBe(
      'a:1 is used by copy; remove those first.',
    )
    for (const ref of [engineId, engineId.slice(7, 19), 'x:1', 'bob/x:1', 'debian'])
      await world.refused(alice!, { name: 'rmi', args: { image: [ref], force: true } }, 'not_found')
    await must('stop copy')
    await world.refused(alice!, 'rmi -f a:1', 'conflict')
    await must('rm -f copy')
    await must('rmi -f a:1')
    expect((await world.store.images.of(bob!.id)).map((image) => image.ref)).toEqual(['x:1'])
  })
})

test('B11 saving over a name thirty times leaves one image, and counts one', async () => {
  for (let times = 0; times < 30; times++) await must('commit web again:1')
  const tags = await world.host.engine.imageTags()
  const known = (await world.store.images.all()).map((image) => image.engineRef)
  expect(tags.map((tag) => tag.ref).toSorted()).toEqual(known.toSorted())
  expect((await must('quota show')).data).toMatchObject({ quota: { images: { used: 1 } } })
})

test('B03, N07: whose an image is decides nothing about whose a container of it is', async () => {
  await must('commit web offered:1')
  const mine = (await world.store.images.of(alice!.id)).find((image) => image.ref === 'offered:1')!
  await must(`image offer ${mine.engineRef} --name shared`, world.admin)
  await must('create from --image shared -m 64m', bob)
  const made = await world.container(bob!, 'from')
  expect(made.ownerId).toBe(bob!.id)
  expect(world.host.fake.wish(made.engineId!)).toMatchObject({ ownerId: bob!.id, id: made.id })
})

test('E06 each container has a host key of its own, also copies', async () => {
  const prints = (await world.store.containers.all()).map((container) => container.fingerprint)
  expect(new Set(prints).size).toBe(prints.length)
})

test("C03 a container named like an id is refused, and names in the engine are DCM's", async () => {
  const theirs = await world.container(bob!, 'web')
  for (const name of [theirs.engineId!, theirs.engineId!.slice(0, 12), 'abcdefabcdef'])
    await world.refused(alice!, { name: 'create', args: { name, image: 'debian' } }, 'usage')
  await must('create abc --image debian -m 64m')
  for (const container of await world.store.containers.all())
    expect(container.engineName).toBe(`dcm-test-${container.id}`)
})

describe('C06 a name with anything else in it', () => {
  test.each([
    'x?force=1&v=1',
    '../images/y',
    '%2e%2e%2f',
    'a/b',
    'x\u0000',
    'x\ny',
    'web/',
    '/web',
    'web%00',
    'web#',
    'ＷＥＢ',
    'web\u200b',
    '.',
    '..',
  ])('%j names nothing, and the engine is not asked', async (name) => {
    for (const command of ['stop', 'inspect', 'rm', 'logs', 'commit'])
      await world.refused(
        alice!,
        {
          name: command,
          args: {
            container: command === 'stop' || command === 'rm' ? [name] : name,
            ...(command === 'commit' ? { image: 'a:1' } : {}),
          },
        },
        'not_found',
      )
    await world.refused(alice!, { name: 'create', args: { name, image: 'debian' } }, 'usage')
    await world.refused(alice!, { name: 'rename', args: { container: 'web', name } }, 'usage')
  })
})
