import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  await world.say(alice!, 'create web --image debian')
  await world.say(alice!, 'share web bob')
})
afterAll(() => world[Symbol.asyncDispose]())

const rows: [
  who: 'alice' | 'bob' | 'admin',
  line: string,
  allowed: boolean,
  code: string | null,
  rule: string,
  text: RegExp,
][] = [
  ['alice', 'can restart web', true, null, 'web is yours', /^Yes: web is yours\. Nothing was done\.$/],
  [
    'alice',
    'can create more --image debian -m 64m',
    true,
    null,
    'every member may, within their quota and grants',
    /^Yes: /,
  ],
  [
    'alice',
    'can create more --image debian -m 900g',
    false,
    'limited',
    'quota, grants and the state of things',
    /^No: You may have 48g of memory .* ask for at most /,
  ],
  [
    'alice',
    'can create more --image debian --cap-add NET_RAW',
    false,
    'denied',
    'quota, grants and the state of things',
    /^No: The capability NET_RAW needs a grant: .*"grant MEMBER cap:NET_RAW"\.$/,
  ],
  [
    'alice',
    'can create web --image debian',
    false,
    'conflict',
    'quota, grants and the state of things',
    /^Not like this: You already have a container called web\.$/,
  ],
  ['alice', 'can user ls', false, 'denied', 'your role', /^No: user ls is for admins\.$/],
  [
    'alice',
    'can restrat web',
    false,
    'usage',
    'how it is written',
    /^Not like this: There is no command restrat; did you mean restart\?$/,
  ],
  [
    'alice',
    'can unpause web',
    false,
    'conflict',
    'quota, grants and the state of things',
    /^Not like this: web is not paused\.$/,
  ],
  ['alice', 'can can restart web', false, 'usage', 'how it is written', /^Not like this: /],
  ['bob', 'can logs alice/web', true, null, 'alice/web is shared with you (view)', /^Yes: /],
  [
    'bob',
    'can restart alice/web',
    false,
    'denied',
    'what you own and what is shared with you',
    /^No: alice\/web is shared with you to look at only; its owner can share more\.$/,
  ],
  [
    'bob',
    'can restart web',
    false,
    'not_found',
    'what you own and what is shared with you',
    /^No: You have no container called web/,
  ],
  ['admin', 'can restart alice/web', true, null, 'you are an admin', /^Yes: /],
  ['admin', 'can restart web --as alice', true, null, 'web is yours', /^Yes: /],
  ['admin', 'can user ls --as alice', false, 'denied', 'your role', /^No: /],
  ['admin', 'can user suspend bob', true, null, 'you are an admin', /^Yes: /],
]

test.each(rows)('%s: %s', async (who, line, allowed, code, rule, text) => {
  const person = { alice: alice!, bob: bob!, admin: world.admin }[who]
  const before = {
    open: await world.store.operations.countOpen(),
    containers: (await world.store.containers.all()).length,
  }
  const { reply, asked } = await world.tell(person, line)
  expect(reply.error, reply.text).toBeUndefined()
  expect(reply.text).toMatch(text)
  expect(reply.data).toMatchObject({ allowed, code, rule })
  expect(asked).toEqual([])
  expect({
    open: await world.store.operations.countOpen(),
    containers: (await world.store.containers.all()).length,
  }).toEqual(before)
})

test('says the same as the command itself would refuse, by JSON too, and nothing to one who may not act', async () => {
  const told = await world.say(alice!, { name: 'can', args: { line: 'create "more" --image debian -m 900g' } })
  const refused = await world.refused(alice!, 'create more --image debian -m 900g', 'limited')
  expect(told.data).toMatchObject({ why: refused.text })
  await world.refused(alice!, 'can', 'usage')
  const suspended = { ...bob!, state: 'suspended' as const }
  expect(
    await world.door.handle({ actor: { person: suspended, surface: 'http' }, input: { line: 'can ps' } }),
  ).toMatchObject({ error: 'denied' })
})

test('a token learns what the token may', async () => {
  const how = { actor: { tokenId: 't', scope: { commands: ['can', 'ps'], containers: null } } }
  expect((await world.say(alice!, 'can restart web', how)).data).toMatchObject({
    allowed: false,
    code: 'denied',
    rule: 'your token',
  })
  expect((await world.say(alice!, 'can ps', how)).data).toMatchObject({ allowed: true })
})

test("another's container and one that is not there are alike", async () => {
  await world.say(alice!, 'unshare web bob')
  const ask = async (name: string) =>
    JSON.stringify(await world.say(bob!, `can restart ${name}`)).replaceAll(name, '<it>')
  expect(await ask('alice/web')).toBe(await ask('alice/wex'))
})
