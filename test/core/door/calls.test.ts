import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../../src/core/model/person.ts'
import { createWorld, publicKey, type World } from './world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string, how = {}) => world.say(alice!, line, how)
const must = async (line: string, who = alice!) => {
  const reply = await world.say(who, line)
  expect(reply.error, `${line}: ${reply.text}`).toBeUndefined()
  return reply
}

describe('a question before what cannot be undone', () => {
  test('nothing is done, and the button holds the very line that confirms', async () => {
    await must('create web --image debian')
    const { reply, asked, rows } = await world.tell(alice!, 'rm web')
    expect(reply).toMatchObject({
      error: 'conflict',
      tone: 'warn',
      text: 'web is running: remove it as it is, with everything inside? /storage is kept.',
      data: { confirm: true, line: 'rm web --force', words: ['rm', 'web', '--force'] },
      actions: [{ label: 'Confirm', line: 'rm web --force', danger: true }],
    })
    expect([asked, rows]).toEqual([[], []])
    // --yes alone confirms no more than what it was said for; what runs is ended only by -f.
    expect((await world.refused(alice!, 'rm web --yes', 'conflict')).text).toContain('-f')
    expect((await must(reply.actions![0]!.line)).text).toMatch(/^web is removed/)
  })

  test('keeps every word of the call, quoted, with --as', async () => {
    const reply = await world.say(world.admin, 'user rm bob --images --dry-run=false')
    expect(reply.actions).toMatchObject([{ line: 'user rm bob --images --yes' }])
    await must('create web --image debian', bob!)
    await must('commit web mine:v1', bob!)
    expect((await world.say(world.admin, 'rmi mine:v1 --as bob')).actions).toMatchObject([
      { line: 'rmi mine:v1 --as bob --yes' },
    ])
    await must('rmi mine:v1 --as bob --yes', world.admin)
  })

  test('is one question for several targets', async () => {
    for (const name of ['one', 'two']) await must(`create ${name} --image bare -m 64m`)
    await must('stop one')
    expect(await say('rm one two')).toMatchObject({ data: { confirm: true, line: 'rm one two --force' } })
    await must('stop two')
    const both = await say('rm one two')
    expect(both).toMatchObject({
      error: 'conflict',
      tone: 'warn',
      data: { confirm: true, line: 'rm one two --yes' },
      actions: [{ line: 'rm one two --yes' }],
    })
    const some = await say('rm one no-such two')
    expect(some).toMatchObject({ error: 'conflict', tone: 'error', actions: [{ line: 'rm one two --yes' }] })
    expect((await must(both.actions![0]!.line)).table?.rows).toHaveLength(2)
  })
})

describe('several targets', () => {
  test('each has its own result and its own row, whatever happens to the others', async () => {
    for (const name of ['a', 'b']) await must(`create ${name} --image debian -m 64m`)
    const { reply, rows } = await world.tell(alice!, 'stop a nothing b a')
    expect(reply).toMatchObject({
      error: 'not_found',
      tone: 'error',
      text: '2 of 3 are done; the table says what went wrong.',
    })
    expect(reply.table?.rows.map(([name]) => name)).toEqual(['a', 'nothing', 'b'])
    expect((reply.data as { error: string | null }[]).map((one) => one.error)).toEqual([null, 'not_found', null])
    expect(rows.map((row) => [row.target, row.decision]).toSorted()).toEqual([
      ['a', 'done'],
      ['b', 'done'],
      ['nothing', 'refused'],
    ])
    expect((await must('start a b')).text).toBe('All 2 are done.')
    await must('rm -f a b')
  })

  test('more than a hundred are refused at once', async () => {
    const names = Array.from({ length: 101 }, (_, at) => `c${at}`)
    await world.refused(alice!, `stop ${names.join(' ')}`, 'usage')
  })
})

describe('--dry-run', () => {
  test('does nothing, and says what would be refused as the call itself would', async () => {
    const { reply, asked, rows } = await world.tell(alice!, 'create dry --image debian -p 80 --dry-run')
    expect(reply).toMatchObject({ tone: 'info', text: 'create dry would be accepted now; nothing was done.' })
    expect(asked).toEqual([])
    expect(rows).toMatchObject([{ decision: 'done', detail: 'dry run', operationId: null }])
    expect((await must('ps')).data).toEqual([])
    for (const line of [
      'create dry --image debian --cap-add NET_ADMIN',
      'create dry --image debian -p 443:443',
      'create dry --image debian -m 64g',
    ]) {
      const said = await say(line)
      const tried = await world.refused(alice!, `${line} --dry-run`, said.error!)
      expect(tried.text, line).toBe(said.text)
    }
    expect(await world.store.operations.countOpen()).toBe(0)
    const { data } = await must('quota show')
    expect((data as { quota: { containers: { used: number } } }).quota.containers.used).toBe(0)
  })

  test('a misspelt one is refused, never carried out', async () => {
    for (const line of [
      'create dry --image debian --dryrun',
      'create dry --image debian --dry_run',
      'create dry --image debian --dry-run=yes',
    ])
      await world.refused(alice!, line, 'usage')
    await world.refused(alice!, { name: 'create', args: { name: 'dry', image: 'debian', dry_run: true } }, 'usage')
    expect((await must('ps')).data).toEqual([])
  })
})

describe('H08: Idempotency-Key', () => {
  const creates = () => world.host.fake.calls.filter((call) => call.method === 'engine.create').length

  test('twenty at once are one container and one answer', async () => {
    const before = creates()
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => say('create once --image debian', { idempotencyKey: 'k1' })),
    )
    expect(creates() - before).toBe(1)
    expect(new Set(replies.map((reply) => JSON.stringify(reply)))).toHaveLength(1)
    expect(replies[0]).toMatchObject({ data: { name: 'once' }, operation: { state: 'done' } })
  })

  test("another body under the same key is refused; the key is each member's own", async () => {
    await world.refused(alice!, 'create other --image debian', 'conflict', { idempotencyKey: 'k1' })
    expect((await world.say(bob!, 'create once --image debian', { idempotencyKey: 'k1' })).error).toBeUndefined()
    expect(
      (await world.say(world.admin, 'create more --image debian --as bob', { idempotencyKey: 'k1' })).error,
    ).toBeUndefined()
  })

  test('what was refused may be tried again under the same key', async () => {
    await world.refused(alice!, 'create late --image nothing', 'not_found', { idempotencyKey: 'k2' })
    await world.refused(alice!, 'create late --image debian --cap-add NET_RAW', 'denied', { idempotencyKey: 'k2' })
    expect((await say('create late --image debian -m 64m', { idempotencyKey: 'k2' })).error).toBeUndefined()
  })

  test('what failed after it had begun is told again, and not done again', async () => {
    world.host.fake.setGreeting('nothing listens there')
    const first = await say('create fails --image debian -m 64m', { idempotencyKey: 'k3' })
    world.host.fake.setGreeting(null)
    expect(first).toMatchObject({ error: 'conflict', operation: { state: 'failed' } })
    const before = creates()
    expect(await say('create fails --image debian -m 64m', { idempotencyKey: 'k3' })).toEqual(first)
    expect(creates()).toBe(before)
  })

  test('who asks again while it goes on is told of the same operation', async () => {
    const go = world.host.fake.hold('engine.start')
    const [one, two] = [
      await say('create slow --image debian -m 64m', { idempotencyKey: 'k4', wait: 0 }),
      await say('create slow --image debian -m 64m', { idempotencyKey: 'k4', wait: 0 }),
    ]
    expect(one.operation).toMatchObject({ state: 'running' })
    expect(two.operation?.id).toBe(one.operation?.id)
    go()
    expect(await say('create slow --image debian -m 64m', { idempotencyKey: 'k4' })).toMatchObject({
      data: { name: 'slow' },
      operation: { id: one.operation!.id, state: 'done' },
    })
  })

  test('of several targets each is done once, also when they are asked for again while they go on', async () => {
    for (const name of ['west', 'east']) await say(`create ${name} --image debian -m 64m`)
    const stops = () => world.host.fake.calls.filter((call) => call.method === 'engine.stop').length
    const before = stops()
    const go = world.host.fake.hold('engine.stop')
    const line = 'stop west east'
    expect((await say(line, { idempotencyKey: 'k6', wait: 0 })).operation).toMatchObject({ state: 'running' })
    expect((await say(line, { idempotencyKey: 'k6', wait: 0 })).operation).toMatchObject({ state: 'running' })
    go()
    const ended = await say(line, { idempotencyKey: 'k6' })
    expect(ended).toMatchObject({ text: 'All 2 are done.', data: [{ target: 'west' }, { target: 'east' }] })
    expect(await say(line, { idempotencyKey: 'k6' })).toEqual(ended)
    expect(stops() - before).toBe(2)
  })

  test('H03: a secret that was shown is kept only sealed', async () => {
    const reply = await say('token new once', { idempotencyKey: 'k5' })
    expect(await say('token new once', { idempotencyKey: 'k5' })).toEqual(reply)
    const row = await world.store.calls.claim({ ownerId: alice!.id, key: 'k5', digest: '' }, 60_000)
    expect(row?.reply).not.toContain(reply.code!)
    expect(row?.reply).not.toContain('token')
  })
})

describe('completion offers what would be accepted', () => {
  const complete = (who: Person, line: string) => world.door.complete({ person: who, surface: 'local' }, line)

  test.each([
    ['cr', ['create']],
    ['user ', []],
    ['key ', ['add', 'ls', 'rm']],
    ['create x --im', ['--image']],
    ['create x --image de', ['debian']],
    ['stop on', ['once']],
    ['stop once l', ['late']],
    ['help st', ['start', 'stats', 'stop']],
    ['', expect.arrayContaining(['create', 'ps', 'rm'])],
    ['nothing ', []],
    ['stop --', expect.arrayContaining(['--time', '--yes', '--as'])],
  ])('of a member: %j', async (line, expected) => {
    expect(await complete(alice!, line)).toEqual(expected)
  })

  test('of a line that nobody types: nothing', async () => {
    expect(await complete(alice!, `stop ${'a '.repeat(2000)}l`)).toEqual(['late'])
    expect(await complete(alice!, `stop ${'a '.repeat(2050)}l`)).toEqual([])
  })

  test('of an admin: commands and members of the site', async () => {
    expect(await complete(world.admin, 'user s')).toEqual(['show', 'suspend'])
    expect(await complete(world.admin, 'user show ')).toEqual(['admin', 'alice', 'bob'])
    expect(await complete(world.admin, 'ps --as b')).toEqual(['bob'])
    expect(await complete(alice!, 'ps --as b')).toEqual([])
  })

  test('never a thing of another member', async () => {
    await must('create bobs-own --image debian', bob!)
    for (const verb of ['stop', 'rm', 'inspect', 'logs', 'ssh', 'commit'])
      expect(await complete(alice!, `${verb} bobs`), verb).toEqual([])
    expect(await complete(bob!, 'stop bobs')).toEqual(['bobs-own'])
  })
})

describe('what is written down', () => {
  test("an admin's look at what is another's", async () => {
    for (const line of [
      'inspect bob/bobs-own',
      'logs bob/bobs-own',
      'ssh bob/bobs-own',
      'key ls bob',
      'token ls bob',
      'grants bob',
      'quota show bob',
      'user rm bob --dry-run',
    ]) {
      const { rows } = await world.tell(world.admin, line)
      expect(rows, line).toMatchObject([{ actor: 'admin', decision: 'done' }])
    }
    for (const line of ['inspect once', 'key ls', 'quota show alice'])
      expect((await world.tell(alice!, line)).rows, line).toEqual([])
  })

  test("C02: an admin's own list is only of their own", async () => {
    expect((await world.say(world.admin, 'ps')).data).toEqual([])
  })

  test('a call that broke has a reference that the log has too, and no cause in its words', async () => {
    const break_ = world.store.containers.visible
    world.store.containers.visible = async () => {
      throw new Error('secret cause at /var/lib/x')
    }
    try {
      const { reply, rows } = await world.tell(alice!, 'ps')
      expect(reply).toMatchObject({ error: 'internal' })
      expect(reply.text).not.toContain('secret')
      expect(rows).toMatchObject([{ decision: 'failed', code: 'internal' }])
      const reference = /reference (\S+)\)/.exec(reply.text)![1]
      expect(world.logged.find(({ facts }) => facts['requestId'] === reference)).toBeDefined()
    } finally {
      world.store.containers.visible = break_
    }
  })
})

test("C04: a beginning of several names is none of them, and names only one's own", async () => {
  for (const name of ['ab1', 'ab2']) await must(`create ${name} --image bare -m 64m`, bob!)
  const reply = await world.refused(bob!, 'stop ab', 'not_found')
  expect(reply.text).toBe('You have no container called ab; you have ab1, ab2.')
  expect((await world.refused(alice!, 'stop ab', 'not_found')).text).not.toContain('ab1')
})

test('a key pasted as a private one is refused and is nowhere', async () => {
  const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${'b3BlbnNzaC1rZXktdjEAAAAA'.repeat(4)}\n-----END OPENSSH PRIVATE KEY-----`
  const replies = [
    await world.refused(alice!, { name: 'key add', args: { key: text } }, 'usage'),
    await world.refused(alice!, `key add "${text}"`, 'usage'),
  ]
  const everything = JSON.stringify([
    replies,
    await world.store.audit.read({ limit: 1000 }),
    world.logged.map(({ facts }) => String(facts['err'])),
  ])
  expect(everything).not.toContain('b3BlbnNz')
  expect(publicKey()).toMatch(/^ssh-ed25519 AAAA/)
})
