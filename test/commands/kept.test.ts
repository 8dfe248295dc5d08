import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const says = async (line: string) => world.say(world.admin, line)
/** A member who has had a container, and so a storage with this many bytes in it. */
async function left(name: string, bytes: number): Promise<string> {
  const person = await world.member(name)
  expect((await world.say(person, 'create web --image debian -m 64m')).error).toBeUndefined()
  world.host.fake.use({ ownerId: person.id }, bytes)
  return person.id
}
const kept = async () => (await says('user kept')).data as { id: string; name: string | null; size: number }[]

test('what a member leaves is listed with who and since when, and goes only when it is named', async () => {
  expect(await kept()).toEqual([])
  const first = await left('ben', 2048)
  expect((await says('user rm ben --yes')).text).toMatch(/Kept: their storage \(user kept lists it\)\.$/)
  expect(await says('user kept')).toMatchObject({
    text: 'There is one storage of members who are gone; user discard removes one.',
    data: [{ id: first, name: 'ben', size: 2048, since: expect.stringMatching(/^\d{4}-/) as string }],
  })
  // A name that is used again inherits nothing, and is not what is removed.
  const second = await left('ben', 4096)
  expect(await kept()).toMatchObject([{ id: first }])
  expect(await says('user discard ben')).toMatchObject({ error: 'conflict', data: { confirm: true } })
  expect((await says('user discard ben --yes')).text).toBe('What ben left is removed, 2k.')
  expect((await world.host.files.storage(first))?.used).toBeUndefined()
  expect((await world.host.files.storage(second))?.used).toBe(4096)
  for (const which of ['ben', second]) expect((await says(`user discard ${which}`)).error, which).toBe('not_found')
  await says('user rm ben --images --storage --yes')
  expect(await kept()).toEqual([])
})

test('of two who had one name, which is said by id; and what was kept before names were noted is listed too', async () => {
  const ids = []
  for (const bytes of [1024, 3072]) {
    ids.push(await left('cleo', bytes))
    await says('user rm cleo --yes')
  }
  const asked = await says('user discard cleo --yes')
  expect(asked.error).toBe('conflict')
  for (const id of ids) expect(asked.text).toContain(id)
  expect((await says(`user discard ${ids[1]} --yes`)).text).toBe('What cleo left is removed, 3k.')
  await world.sql("delete from site where key = 'kept'")
  expect(await kept()).toMatchObject([{ id: ids[0], name: null, size: 1024 }])
  expect((await says(`user discard ${ids[0]} --yes`)).error).toBeUndefined()
})

test('who has nothing leaves nothing', async () => {
  await world.member('dan')
  expect((await says('user rm dan --yes')).text).toBe('dan is removed.')
  expect(await kept()).toEqual([])
})
