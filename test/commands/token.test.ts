import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { hashToken } from '../../src/core/secret/token.ts'
import { publicKey } from '../setup/keys.ts'
import { createWorld, type World } from './world.ts'

let world: World
let [admin, alice, bob] = [] as unknown as [Person, Person, Person]
beforeAll(async () => {
  world = await createWorld()
  ;[admin, alice, bob] = [await world.member('admin', 'admin'), await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(alice, line)
const use = async (secret: string, line: string) => {
  const actor = await world.door.identify({ kind: 'token', secret }, { surface: 'http' })
  return world.door.handle({ actor, input: { line } })
}
const day = 86_400_000
const lives = (reply: { data?: unknown }) =>
  new Date((reply.data as { expires_at: string }).expires_at).getTime() - Date.now()

describe('token new', () => {
  test('H03: shows the secret this once; the database has only its hash', async () => {
    const reply = await say('token new laptop')
    expect(reply).toMatchObject({ private: true, fields: { 'allowed commands': 'all of yours' } })
    const secret = reply.code!
    expect(secret).toMatch(/^dcm_[0-9A-Za-z]{32}$/)
    expect(lives(reply)).toBeGreaterThan(89 * day)
    const [row] = await world.store.tokens.of(alice.id)
    expect(row!.hash).toBe(hashToken(secret))
    const everything = [row, await say('token ls'), await world.store.audit.read({ limit: 100 })]
    expect(JSON.stringify(everything)).not.toContain(secret.slice(4))
  })

  test('H04: one that is no good is refused and written down, once a minute for an address', async () => {
    const rows = () =>
      world.store.audit.read({ limit: 200 }).then((all) => all.filter((row) => row.command === 'token'))
    const address = '192.0.2.7'
    for (const secret of ['dcm_00000000000000000000000000000000', 'nothing'])
      await expect(world.door.identify({ kind: 'token', secret }, { surface: 'http', address })).rejects.toMatchObject({
        code: 'unlinked',
      })
    expect(await rows()).toMatchObject([{ actor: null, address, decision: 'refused', code: 'unlinked' }])
  })

  test('limited to commands, nouns and containers, for a while', async () => {
    const reply = await say('token new ci --command ps --command "Key  LS" --command quota --container web --for 30d')
    expect(reply.data).toMatchObject({ label: 'ci', commands: ['ps', 'key ls', 'quota'], containers: ['web'] })
    expect(lives(reply)).toBeLessThan(31 * day)
    expect((await use(reply.code!, 'key ls')).error).toBeUndefined()
    expect((await use(reply.code!, 'quota show')).error).toBeUndefined()
    expect(await use(reply.code!, 'whoami')).toMatchObject({ error: 'denied' })
  })

  test('a scoped token never widens itself, and never acts for others', async () => {
    const scoped = (
      await world.say(admin, 'token new scoped --command token --command key --command grant --command user')
    ).code!
    for (const line of [
      'token new more',
      `key add ${publicKey()}`,
      'grant alice restart-policy',
      'user add eve',
      'key ls --as alice',
    ])
      expect(await use(scoped, line), line).toMatchObject({ error: 'denied' })
    expect(await world.store.people.byName('eve')).toBeUndefined()
  })

  test.each([
    ['token new laptop', 'conflict', /^There is a token called laptop already/],
    ['token new "a b"', 'usage', /^A token label is/],
    ['token new x/y', 'usage', /^A token label is/],
    ['token new late --for 367d', 'usage', /at most/],
    ['token new x --for 0s', 'usage', /time like/],
    ['token new x --command pss', 'usage', /did you mean ps\?/],
    ['token new x --command Privileged', 'usage', /no command privileged/],
    ['token new x --container ../y', 'usage', /container name/],
    ['token new', 'usage', /^token new needs LABEL\. Usage: token new LABEL/],
  ])('%s is refused', async (line, error, why) => {
    const reply = await say(line)
    expect(reply.error).toBe(error)
    expect(reply.text).toMatch(why)
    expect(reply.code).toBeUndefined()
  })

  test('a label is unique for one member only', async () => {
    expect((await world.say(bob, 'token new laptop')).error).toBeUndefined()
  })
})

test('H04: missing, wrong, truncated, re-cased and revoked tokens are refused in the same words', async () => {
  const secret = (await say('token new short')).code!
  expect((await use(secret, 'whoami')).text).toBe('You are alice.')
  expect((await say('token rm short')).text).toBe('Removed the token short; it is refused from now on.')
  const refusals = await Promise.all(
    [
      '',
      secret,
      secret.slice(0, -1),
      `${secret}x`,
      secret.toLowerCase(),
      `Bearer ${secret}`,
      `dcm_${'A'.repeat(32)}`,
    ].map((one) =>
      use(one, 'whoami').then(
        () => 'let in',
        (error: Error) => error.message,
      ),
    ),
  )
  expect(new Set(refusals)).toEqual(
    new Set(['That token is not good: it is wrong, expired or revoked; make one with token new.']),
  )
})

test('an expired token is refused by the clock of the database, and shown as expired', async () => {
  const { token, secret } = await world
    .context({ person: alice, surface: 'http' })
    .tokens.add({ ownerId: alice.id, label: 'brief', commands: null, containers: null, lives: 1 })
  await expect(use(secret, 'whoami')).rejects.toMatchObject({ code: 'unlinked' })
  expect((await say('token ls')).data).toContainEqual(expect.objectContaining({ id: token.id, expired: true }))
})

test("token rm takes a label or an id, and another member's is as if it were not there", async () => {
  const [theirs] = await world.store.tokens.of(bob.id)
  const nobody = await say('token rm nothing')
  expect(nobody).toMatchObject({ error: 'not_found' })
  expect(await say(`token rm ${theirs!.id}`)).toEqual(nobody)
  expect((await world.say(bob, `token rm ${theirs!.id}`)).data).toEqual({ id: theirs!.id, label: 'laptop' })
  expect((await world.say(bob, 'token ls')).text).toBe('You have no token; make one with token new.')
})

test('an admin sees whose tokens there are, never a secret', async () => {
  const reply = await world.say(admin, 'token ls alice')
  expect(reply.text).toMatch(/^alice has \d+ tokens\.$/)
  expect(JSON.stringify(reply)).not.toMatch(/dcm_|hash/)
})
