import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { publicKey } from '../setup/keys.ts'
import { createWorld, type World } from './world.ts'

let world: World
let admin: Person
beforeAll(async () => {
  world = await createWorld()
  admin = await world.member('admin', 'admin')
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(admin, line)
const named = async (name: string) => (await world.store.people.byName(name))!

describe('user add', () => {
  test('with keys, in quotes', async () => {
    const reply = await say(`user add alice --key "${publicKey('alice@laptop')}" --key '${publicKey('alice@desk')}'`)
    expect(reply.text).toBe('Added alice with 2 keys.')
    expect(reply.data).toMatchObject({
      name: 'alice',
      role: 'member',
      keys: [{ comment: 'alice@laptop' }, { comment: 'alice@desk' }],
    })
    expect(await world.store.keys.of((await named('alice')).id)).toHaveLength(2)
  })

  test('without a key says how to add one', async () => {
    const reply = await say('user add keyless --admin')
    expect(reply).toMatchObject({ tone: 'warn', data: { role: 'admin', keys: [] } })
    expect(reply.text).toContain('key add KEY --as keyless')
  })

  test('the same key twice is one key', async () => {
    const key = publicKey()
    expect((await say(`user add twice --key "${key}" --key "${key} again"`)).text).toBe('Added twice with one key.')
  })

  test('a name that is taken is refused, and nothing is stored', async () => {
    const before = (await world.store.people.list()).length
    expect(await say(`user add alice --key "${publicKey()}"`)).toMatchObject({
      error: 'conflict',
      text: 'There is a member called alice already.',
    })
    expect(await world.store.people.list()).toHaveLength(before)
  })

  test('a key of another member is refused without telling whose it is, and no member is made', async () => {
    const key = publicKey()
    await say(`user add keyowner --key "${key}"`)
    const reply = await say(`user add thief --key "${publicKey()}" --key "${key}"`)
    expect(reply).toMatchObject({ error: 'conflict' })
    expect(reply.text).not.toContain('keyowner')
    expect(await world.store.people.byName('thief')).toBeUndefined()
  })

  test.each(['root', 'A', 'a/b', '../bob', '-'])('D05: the name %s is refused', async (name) => {
    expect(await say(`user add -- '${name}'`)).toMatchObject({ error: 'usage' })
  })

  test('E03: a private key is refused and leaves no trace', async () => {
    const text = '-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXktdjEAAAAABG5vbmUsecret'
    const reply = await say(`user add leaky --key "${text}"`)
    expect(reply).toMatchObject({ error: 'usage' })
    expect(reply.text).toMatch(/private key/)
    expect(JSON.stringify([reply, await world.store.audit.read({ limit: 20 })])).not.toContain('b3BlbnNz')
    expect(await world.store.people.byName('leaky')).toBeUndefined()
  })
})

test('N01: whom a member may name is only themselves: others are as if they were not there', async () => {
  const mallory = await world.member('mallory')
  for (const line of ['key ls', 'token ls', 'grants', 'quota show']) {
    const [other, nobody] = [await world.say(mallory, `${line} alice`), await world.say(mallory, `${line} nobodyx`)]
    expect(other).toMatchObject({ error: 'not_found' })
    expect(other.text.replace('alice', '')).toBe(nobody.text.replace('nobodyx', ''))
  }
})

describe('user suspend and resume', () => {
  test('N10: a suspended member is refused and their keys are closed, until they are resumed', async () => {
    const bob = await world.member('bob')
    await world.say(bob, `key add ${publicKey()}`)
    const token = (await world.say(bob, 'token new laptop')).code!
    expect((await say('user suspend bob')).data).toEqual({ name: 'bob', state: 'suspended' })
    expect(world.told.at(-1)).toBe(bob.id)
    expect(await world.say(bob, 'whoami')).toMatchObject({ error: 'denied' })
    const known = await world.door.identify({ kind: 'token', secret: token }, { surface: 'http' })
    expect(await world.door.handle({ actor: known, input: { line: 'key ls' } })).toMatchObject({ error: 'denied' })
    await say('user resume bob')
    expect((await world.say(bob, 'key ls')).text).toBe('You have one key.')
  })

  test('someone who is leaving cannot be called back', async () => {
    const leaver = await world.member('leaver')
    await world.store.people.update(leaver.id, { state: 'leaving' })
    expect(await say('user resume leaver')).toMatchObject({ error: 'conflict', text: 'leaver is being removed.' })
    expect(await say('user add leaver')).toMatchObject({
      error: 'conflict',
      text: 'leaver is still being removed; try again in a minute.',
    })
    await world.store.people.remove(leaver.id)
  })
})

describe('N03: the last active admin', () => {
  test('stays: neither suspended nor removed, also not by two at once', async () => {
    await using small = await createWorld()
    const [first, second] = [await small.member('admin', 'admin'), await small.member('second', 'admin')]
    const replies = await Promise.all([
      small.say(first, 'user suspend second'),
      small.say(second, 'user suspend admin'),
    ])
    expect(replies.filter((reply) => reply.error === undefined)).toHaveLength(1)
    const left = (await small.store.people.list()).filter((person) => person.state === 'active')
    expect(left).toHaveLength(1)
    for (const line of [`user suspend ${left[0]!.name}`, `user rm ${left[0]!.name} --yes`]) {
      const reply = await small.say(left[0]!, line)
      expect(reply).toMatchObject({ error: 'conflict' })
      expect(reply.text).toMatch(/is the last active admin; add another with user add NAME --admin first\./)
    }
  })
})

describe('user rm', () => {
  test('asks first, and a dry run lists what would go', async () => {
    const gone = await world.member('gone')
    await world.say(gone, `key add ${publicKey()}`)
    await world.say(gone, 'token new ci')
    expect(await say('user rm gone')).toMatchObject({
      error: 'conflict',
      data: { confirm: true },
      actions: [{ line: 'user rm gone --yes', danger: true }],
    })
    const preview = await say('user rm gone --storage --dry-run')
    expect(preview.data).toEqual({
      ...{ name: 'gone', containers: [], images: [], volumes: [], networks: [] },
      ...{ storage: 0, keys: 1, tokens: 1, ports: 0, grants: [], hooks: [], schedules: 0, shares: 0 },
    })
    expect(await named('gone')).toMatchObject({ state: 'active' })
  })

  test('N04: removes keys, tokens, grants and the member; a second time there is nobody; the name starts anew', async () => {
    const gone = await named('gone')
    const key = publicKey()
    await world.say(gone, `key add ${key}`)
    await say('grant gone restart-policy')
    expect(await say('user rm gone --images --storage --yes')).toMatchObject({
      operation: { state: 'done' },
      data: { name: 'gone' },
    })
    expect(await say('user rm gone --yes')).toMatchObject({ error: 'not_found' })
    expect((await say(`user add gone --key "${key}"`)).text).toBe('Added gone with one key.')
    const again = await named('gone')
    expect(again.id).not.toBe(gone.id)
    expect((await world.say(again, 'grants')).data).toEqual([])
    expect((await world.say(again, 'token ls')).data).toEqual([])
  })
})

test.each(['root', 'me', 'system'])('nobody is called %s', async (name) => {
  for (const line of [`user add ${name}`, `user add ${name} --dry-run`, `user invite ${name}`])
    expect((await world.refused(world.admin, line, 'usage')).text).toBe(
      `Nobody can be called ${name}: that name is reserved.`,
    )
})

test('user ls and user show tell what there is', async () => {
  const { data } = await say('users')
  expect(data).toContainEqual(expect.objectContaining({ name: 'alice', keys: 2, containers: 0, state: 'active' }))
  const shown = await say('user show alice')
  expect(shown.data).toMatchObject({ name: 'alice', tokens: 0, grants: [], containers: [], storage: 0 })
  expect((shown.data as { keys: { comment: string }[] }).keys.map((key) => key.comment).sort()).toEqual([
    'alice@desk',
    'alice@laptop',
  ])
  expect(shown.table?.rows).toHaveLength(8)
  expect(shown.private).toBe(true)
})

test('whoami tells who, what signed in and who acts', async () => {
  const alice = await named('alice')
  expect((await world.say(alice, 'whoami')).text).toBe('You are alice.')
  expect((await say('whoami --as alice')).text).toBe('You are alice, by admin.')
  const scoped = await world.say(alice, 'whoami', {
    actor: { tokenId: 't', scope: { commands: ['whoami'], containers: ['web'] } },
  })
  expect(scoped.data).toMatchObject({ name: 'alice', by: null, scope: { commands: ['whoami'], containers: ['web'] } })
})

describe('audit', () => {
  test('N06, N07: each change has who, as whom, what, decision and request; no secret is in it', async () => {
    const key = publicKey()
    const alice = await named('alice')
    await say(`key add ${key} --as alice`)
    const { data } = await say('audit --user alice --limit 5')
    const rows = data as {
      actor: string
      as: string | null
      command: string
      decision: string
      request: string
      at: string
    }[]
    expect(rows[0]).toMatchObject({
      actor: 'admin',
      as: 'alice',
      command: 'key add',
      decision: 'done',
      surface: 'http',
    })
    expect(rows[0]!.request).not.toBe('')
    const secret = (await world.say(alice, 'token new audited')).code!
    const all = JSON.stringify(await world.store.audit.read({ limit: 1000 }))
    expect(all).not.toContain(secret)
    expect(all).not.toContain(key.split(' ')[1])
    // Looking is recorded too.
    expect((await world.store.audit.read({ limit: 3 })).map((row) => row.command)).toContain('audit')
  })

  test('is filtered by time and cut', async () => {
    expect((await say('audit --limit 3')).data).toHaveLength(3)
    expect((await say('audit --since 2099-01-01')).text).toBe('Nothing of that kind was recorded.')
    expect((await say('audit --limit 0')).data).toHaveLength(1)
    expect(((await say('audit --since 1h')).data as unknown[]).length).toBeGreaterThan(3)
  })
})
