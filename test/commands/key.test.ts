import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { publicKey } from '../setup/keys.ts'
import { createWorld, type World } from './world.ts'

let world: World
let [alice, bob] = [] as unknown as [Person, Person]
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(alice, line)
const stored = async (person: Person) => (await world.store.keys.of(person.id)).map((key) => `${key.type} ${key.blob}`)

test('a key is added without quotes, listed, and told to the containers', async () => {
  const key = publicKey('alice@laptop')
  const reply = await say(`key add ${key}`)
  expect(reply.text).toMatch(/^The key SHA256:\S{43} opens your containers now\.$/)
  expect(world.told.at(-1)).toBe(alice.id)
  expect((await say('key ls')).table?.rows).toEqual([
    [expect.any(String), 'ssh-ed25519', expect.stringMatching(/^SHA256:/), 'alice@laptop', expect.any(String)],
  ])
  expect(await stored(alice)).toEqual([key.split(' ').slice(0, 2).join(' ')])
})

test('adding it again changes nothing and tells the containers once more', async () => {
  const key = publicKey('again@laptop')
  const [first, second] = [await say(`key add ${key}`), await say(`key add ${key}`)]
  expect(second.data).toEqual(first.data)
  expect(world.told.filter((id) => id === alice.id).length).toBeGreaterThanOrEqual(2)
})

describe('E01, E02: only type and key are ever stored', () => {
  test.each([
    ['a command', (key: string) => `command="id" ${key}`],
    ['from', (key: string) => `from="10.0.0.1" ${key}`],
    ['environment', (key: string) => `environment="LD_PRELOAD=/x" ${key}`],
    ['cert-authority', (key: string) => `cert-authority ${key}`],
    ['restrict,pty', (key: string) => `restrict,pty ${key}`],
    ['two keys', (key: string) => `${key}\n${publicKey('second')}`],
    ['CRLF and a key', (key: string) => `${key}\r\n${publicKey('second')}`],
    ['a NUL', (key: string) => `${key}\0`],
    ['a byte order mark', (key: string) => `\ufeff${key}`],
  ])('%s', async (_, spoil) => {
    const before = await stored(alice)
    const text = spoil(publicKey('spoilt'))
    const reply = await world.door.handle({
      actor: { person: alice, surface: 'http' },
      input: { name: 'key add', args: { key: text } },
    })
    const after = await stored(alice)
    if (reply.error) expect(after).toEqual(before)
    else expect(after).toHaveLength(before.length + 1)
    for (const line of after) expect(line).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]+$/)
  })
})

test.each([
  ['a private key', '-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXktdjEAAAAABG5vbmU', /private key/],
  ['DSA', 'ssh-dss AAAAB3NzaC1kc3MAAACBAP', /DSA/],
  ['another type than its blob', `ssh-rsa ${publicKey().split(' ')[1]}`, /\.$/],
  ['broken base64', 'ssh-ed25519 AAAA!!!!', /\.$/],
  ['too much', 'x'.repeat(20_000), /\.$/],
  ['nothing of the kind', 'hello there', /\.$/],
])('E03: %s is refused with a reason and stored nowhere', async (_, text, why) => {
  const before = await stored(alice)
  const reply = await world.door.handle({
    actor: { person: alice, surface: 'http' },
    input: { name: 'key add', args: { key: text } },
  })
  expect(reply).toMatchObject({ error: 'usage' })
  expect(reply.text).toMatch(why)
  expect(await stored(alice)).toEqual(before)
  const [row] = await world.store.audit.read({ limit: 1 })
  expect(row).toMatchObject({ command: 'key add', decision: 'refused', code: 'usage', target: null })
  expect(JSON.stringify([reply, row])).not.toContain(text.split(' ').at(-1)!.slice(0, 20))
})

test("E04: another member's public key is refused, without telling whose it is", async () => {
  const key = publicKey('bob@laptop')
  await world.say(bob, `key add ${key}`)
  const reply = await say(`key add ${key}`)
  expect(reply).toMatchObject({ error: 'conflict' })
  expect(reply.text).not.toMatch(/bob/)
  expect(await stored(bob)).toHaveLength(1)
  expect(await stored(alice)).not.toContain(key.split(' ').slice(0, 2).join(' '))
})

test('two members who add one key at once: it is one of theirs', async () => {
  const key = publicKey('both')
  const replies = await Promise.all([say(`key add ${key}`), world.say(bob, `key add ${key}`)])
  expect(replies.filter((reply) => reply.error === 'conflict')).toHaveLength(1)
})

test('is removed by id, fingerprint or comment; the last one is said to be', async () => {
  const carol = await world.member('carol')
  for (const comment of ['one', 'two', 'three']) await world.say(carol, `key add ${publicKey(comment)}`)
  const [one, two] = (await world.say(carol, 'key ls')).data as { id: string; fingerprint: string }[]
  expect((await world.say(carol, `key rm ${one!.id}`)).data).toMatchObject({ left: 2 })
  expect((await world.say(carol, `key rm ${two!.fingerprint}`)).data).toMatchObject({ left: 1 })
  // The last one is not removed by the way.
  expect(await world.say(carol, 'key rm three')).toMatchObject({
    error: 'conflict',
    text: expect.stringContaining('is your last key'),
    actions: [{ line: 'key rm three --yes' }],
  })
  expect(await world.say(carol, 'key rm three --yes')).toMatchObject({ tone: 'warn', data: { left: 0 } })
  expect(world.told.at(-1)).toBe(carol.id)
  expect(await world.say(carol, 'key rm three')).toMatchObject({ error: 'not_found' })
  expect((await world.say(carol, 'key ls')).text).toBe('You have no key yet; add one with key add.')
})

test('a comment that several keys have is not guessed at', async () => {
  const dave = await world.member('dave')
  for (let i = 0; i < 2; i++) await world.say(dave, `key add ${publicKey('same')}`)
  expect(await world.say(dave, 'key rm same')).toMatchObject({ error: 'conflict' })
  expect(await stored(dave)).toHaveLength(2)
})

test("another member's key is as if it were not there", async () => {
  const [theirs] = (await world.say(bob, 'key ls')).data as { id: string; fingerprint: string; comment: string }[]
  const nobody = await say('key rm SHA256:nothing')
  for (const which of [theirs!.id, theirs!.fingerprint, theirs!.comment])
    expect(await say(`key rm ${which}`)).toEqual(nobody)
  expect(await stored(bob)).not.toHaveLength(0)
})

test('K10: a change whose telling fails is stored whole, is said, and can be made again', async () => {
  const key = publicKey('half')
  world.deaf()
  const reply = await say(`key add ${key}`)
  expect(reply).toMatchObject({ error: 'unavailable' })
  expect(await stored(alice)).toContain(key.split(' ').slice(0, 2).join(' '))
  expect(await say(`key add ${key}`)).toMatchObject({ tone: 'ok' })
})

test('nobody keeps more than fifty keys', async () => {
  const many = await world.member('many')
  for (let i = 0; i < 50; i++) await world.say(many, `key add ${publicKey(`k${i}`)}`)
  expect(await world.say(many, `key add ${publicKey('k50')}`)).toMatchObject({ error: 'limited' })
  expect(await stored(many)).toHaveLength(50)
})
