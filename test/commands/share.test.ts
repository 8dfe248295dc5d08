import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { whileEntering } from '../../src/core/containers/guest.ts'
import { endShares } from '../../src/core/upkeep/clock.ts'
import { tidyFolders } from '../../src/core/upkeep/reconcile.ts'
import { createWorld, publicKey, type World } from '../core/door/world.ts'

let world: World
let [alice, bob, carol]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob, carol] = [await world.member('alice'), await world.member('bob'), await world.member('carol')]
  for (const [who, name] of [
    [alice, 'web'],
    [alice, 'db'],
    [bob, 'web'],
  ] as const)
    expect((await world.say(who, `create ${name} --image debian`)).error).toBeUndefined()
})
afterAll(() => world[Symbol.asyncDispose]())

const upkeep = () => ({
  works: world.works,
  runner: world.runner,
  log: { debug() {}, info() {}, warn() {}, error() {} },
})
const keysIn = async (name: string) =>
  (world.host.fake.run((await world.container(alice!, name)).id)?.authorizedKeys ?? '').trim().split('\n')
const over = (name: string) =>
  world.sql(
    `update shares set expires_at = now() - interval '1 second' where container_id = (select id from containers where name = '${name}' and owner_id = '${alice!.id}')`,
  )

const look = [
  'inspect alice/web',
  'logs alice/web',
  'top alice/web',
  'diff alice/web',
  'stats alice/web',
  'events alice/web',
]
const enter = ['ssh alice/web', 'exec alice/web -- true']
const operate = ['stop alice/web', 'restart alice/web', 'pause alice/web', 'kill alice/web']
const own = [
  'rm -f alice/web',
  'rename alice/web mine',
  'commit alice/web x:v1',
  'update alice/web -m 64m',
  'note alice/web x',
  'clone alice/web x',
  'keep alice/web',
  'share alice/web carol',
  'schedule alice/web stop "0 0 * * *"',
]

describe('what a guest may', () => {
  test('nothing before it is shared, in the very words for what is not there', async () => {
    const strip = (text: string, name: string) => text.replaceAll(name, '<it>')
    for (const line of [...look, ...enter, ...operate, ...own]) {
      const there = await world.refused(bob!, line, 'not_found')
      expect(strip(there.text, 'alice/web')).toBe(
        strip((await world.refused(bob!, line.replace('alice/web', 'alice/wex'), 'not_found')).text, 'alice/wex'),
      )
    }
  })

  test('--view: to look, and to be told that the rest is not shared', async () => {
    expect(await world.say(alice!, 'share web bob --for 1h')).toMatchObject({
      text: expect.stringMatching(/^bob may look at web until 20.* UTC, as alice\/web\.$/),
      data: { container: 'web', owner: 'alice', member: 'bob', level: 'view' },
    })
    for (const line of look) expect((await world.say(bob!, line)).error, line).toBeUndefined()
    for (const line of [...enter, ...operate, ...own])
      expect((await world.refused(bob!, line, 'denied')).text, line).toBe(
        'alice/web is shared with you to look at only; its owner can share more.',
      )
    expect(await keysIn('web')).toHaveLength(1)
  })

  test('--exec asks first, for they are root inside with the storage; then they may enter', async () => {
    expect(await world.say(alice!, 'share web bob --exec')).toMatchObject({
      error: 'conflict',
      text: 'Let bob into web? They are root inside, and read and write all of your /storage.',
    })
    expect((await world.refused(bob!, 'ssh alice/web', 'denied')).text).toContain('to look at only')
    await world.say(alice!, 'share web bob --exec --yes')
    for (const line of [...look, ...enter]) expect((await world.say(bob!, line)).error, line).toBeUndefined()
    for (const line of [...operate, ...own]) await world.refused(bob!, line, 'denied')
    expect(await keysIn('web')).toHaveLength(1)
  })

  test('who types only its name is told the whole one', async () => {
    await world.say(alice!, 'create hers --image debian')
    await world.say(alice!, 'share hers bob --view')
    expect((await world.refused(bob!, 'logs hers', 'not_found')).text).toBe(
      'You have no container called hers; you have alice/hers.',
    )
    await world.say(alice!, 'rm -f hers')
  })

  test('--ssh: their keys are in the container until the very time, and follow what they change', async () => {
    await world.say(alice!, 'share web bob --ssh --for 1h --yes')
    const [mine, guest, ...more] = await keysIn('web')
    expect(more).toEqual([])
    expect(mine).toMatch(/^ssh-ed25519 \S+$/)
    expect(guest).toMatch(/^expiry-time="20\d{12}Z" ssh-ed25519 \S+$/)
    await world.say(bob!, `key add ${publicKey('second')}`)
    expect(await keysIn('web')).toHaveLength(3)
    await world.say(world.admin, 'user suspend bob')
    expect(await keysIn('web')).toEqual([mine])
    await world.say(world.admin, 'user resume bob')
    expect(await keysIn('web')).toHaveLength(3)
    expect(await keysIn('db')).toEqual([mine])
    for (const line of [...operate, ...own]) await world.refused(bob!, line, 'denied')
  })

  test('nobody else gets anything by it, and a token for some containers does not either', async () => {
    for (const line of ['inspect alice/web', 'ssh alice/web', 'stop alice/web'])
      await world.refused(carol!, line, 'not_found')
    for (const line of ['inspect alice/db', 'ssh alice/db']) await world.refused(bob!, line, 'not_found')
    const scoped = { actor: { tokenId: 't', scope: { commands: null, containers: ['web'] } } }
    // What names its own "web" says nothing of alice's.
    expect((await world.say(bob!, 'ps', scoped)).data).toMatchObject([{ owner: 'bob' }])
    expect((await world.say(bob!, 'inspect alice/web', scoped)).error).toBe('denied')
    const all = { actor: { tokenId: 't', scope: { commands: ['share', 'unshare', 'ps'], containers: null } } }
    await world.refused(alice!, 'share db bob', 'denied', all)
  })

  test('ps, completion and shares write it as owner/name', async () => {
    const { text, table, data } = await world.say(bob!, 'ps')
    expect(text).toBe('You have one container, and one is shared with you.')
    expect(table?.rows.map((row) => row[0])).toEqual(['web', 'alice/web'])
    expect(data).toMatchObject([
      { name: 'web', owner: 'bob' },
      { name: 'web', owner: 'alice' },
    ])
    expect(await world.door.complete({ person: bob!, surface: 'http' }, 'logs ')).toEqual(['alice/web', 'web'])
    expect(await world.door.complete({ person: bob!, surface: 'http' }, 'stop ')).toEqual(['web'])
    expect((await world.say(bob!, 'shares')).table?.rows[0]?.slice(0, 3)).toEqual(['alice/web', 'you', 'ssh'])
    expect((await world.say(alice!, 'shares')).table?.rows[0]?.slice(0, 3)).toEqual(['web', 'bob', 'ssh'])
    expect((await world.say(carol!, 'shares')).data).toEqual([])
  })

  test('of a suspended owner nothing is shared', async () => {
    await world.say(world.admin, 'user suspend alice')
    await world.refused(bob!, 'inspect alice/web', 'not_found')
    expect((await keysIn('web')).join('')).toBe('')
    await world.say(world.admin, 'user resume alice')
    expect((await world.say(bob!, 'inspect alice/web')).error).toBeUndefined()
  })
})

describe('the end of it', () => {
  test('is a condition of every look, whether or not anything has run since; then keys and connections go', async () => {
    const [web, own] = [await world.container(alice!, 'web'), await world.container(bob!, 'web')]
    await world.store.sessions.insert(
      {
        id: 'session00001',
        ownerId: bob!.id,
        holder: 'x',
        address: '',
        fingerprint: '',
        doing: 'shell',
        inside: [web.id],
      },
      60_000,
    )
    await world.store.sessions.insert(
      {
        id: 'session00002',
        ownerId: bob!.id,
        holder: 'x',
        address: '',
        fingerprint: '',
        doing: 'shell',
        inside: [own.id],
      },
      60_000,
    )
    await over('web')
    await world.refused(bob!, 'inspect alice/web', 'not_found')
    expect((await world.say(bob!, 'ps')).text).toBe('You have one container.')
    await endShares(upkeep())
    expect(await keysIn('web')).toHaveLength(1)
    const ending = new Map(
      (await world.store.sessions.standing(['session00001', 'session00002'])).map((one) => [one.id, one.ending]),
    )
    expect(ending.get('session00001')).toBe('alice/web is not shared with you any more.')
    expect(ending.get('session00002')).toBeNull()
  })

  test('comes at once by unshare, of the owner or of the guest', async () => {
    for (const end of [() => world.say(alice!, 'unshare web bob'), () => world.say(bob!, 'unshare alice/web')]) {
      await world.say(alice!, 'share web bob --ssh --yes')
      expect((await keysIn('web')).length).toBeGreaterThan(1)
      expect((await end()).error).toBeUndefined()
      expect(await keysIn('web')).toHaveLength(1)
      await world.refused(bob!, 'inspect alice/web', 'not_found')
    }
  })

  const session = (id: string, inside: string) => ({
    ...{ id, ownerId: bob!.id, holder: 'x', address: '', fingerprint: '', doing: 'shell', inside: [inside] },
  })

  test('comes for who is inside also where the keys cannot be written', async () => {
    const { id } = await world.container(alice!, 'web')
    for (const end of [
      () => world.say(alice!, 'unshare web bob'),
      async () => {
        await over('web')
        await endShares(upkeep())
      },
    ]) {
      await world.say(alice!, 'share web bob --ssh --yes')
      const at = `session${String(end).length}`
      await world.store.sessions.insert(session(at, id), 60_000)
      world.host.fake.fail('files.writeKeys', 'full')
      await end()
      expect(await world.store.sessions.standing([at])).toMatchObject([
        { ending: 'alice/web is not shared with you any more.' },
      ])
      await tidyFolders(upkeep(), 'local')
      expect(await keysIn('web')).toHaveLength(1)
    }
  })

  test('ends what they run, wait for and copy, and they hear nothing more of it', async () => {
    const killed = Promise.withResolvers<void>()
    world.host.fake.programs(async function* (wish) {
      yield* []
      if (wish.argv.at(-1) === 'KILL') killed.resolve()
      else await killed.promise
      yield { stream: 'stdout', data: Buffer.from('written after it ended') }
      return 137
    })
    await world.say(alice!, 'share web bob --exec --yes')
    const running = world.say(bob!, 'exec alice/web --timeout 1h -- sleep 600')
    const waiting = world.say(bob!, 'wait alice/web')
    await expect.poll(() => world.store.operations.openBy(bob!.id, 'exec')).toBe(1)
    await expect.poll(() => world.store.operations.openBy(bob!.id, 'wait')).toBe(1)
    // What a guest waits for is theirs, and takes nothing of the owner's.
    expect(await world.store.operations.openBy(alice!.id, 'wait')).toBe(0)
    await world.say(alice!, 'unshare web bob')
    for (const reply of [await running, await waiting]) {
      expect(reply).toMatchObject({ error: 'denied', text: expect.stringContaining('not shared with you any more') })
      expect(JSON.stringify(reply)).not.toContain('written after')
    }
    await killed.promise
  })

  test('a copy that is under way comes to its end too, whichever way it goes', async () => {
    const web = await world.container(alice!, 'web')
    const given = (personId: string) =>
      whileEntering(
        { store: world.store },
        personId,
        web,
        (async function* () {
          yield 'before'
          await world.say(alice!, 'unshare web bob')
          await new Promise((resolve) => setTimeout(resolve, 1100))
          yield 'after'
        })(),
      )
    for (const [personId, pieces] of [
      [bob!.id, ['before']],
      [alice!.id, ['before', 'after']],
    ] as const) {
      await world.say(alice!, 'share web bob --exec --yes')
      const seen: string[] = []
      const reading = (async () => {
        for await (const piece of given(personId)) seen.push(piece)
      })()
      if (personId === bob!.id) await expect(reading).rejects.toMatchObject({ code: 'denied' })
      else await reading
      expect(seen).toEqual(pieces)
    }
  })

  test('cannot be brought about by another guest', async () => {
    await world.say(alice!, 'share web bob')
    await world.say(alice!, 'share web carol')
    await world.refused(carol!, 'unshare alice/web bob', 'denied')
    expect((await world.say(bob!, 'inspect alice/web')).error).toBeUndefined()
    await world.refused(alice!, 'unshare web', 'usage')
  })

  test('comes with the guest who leaves, before all that takes long, and with the container that goes', async () => {
    const dave = await world.member('dave')
    await world.say(alice!, 'share web dave --ssh --yes')
    await world.say(dave, 'create slow --image debian -m 64m')
    const release = world.host.fake.hold('engine.commit')
    const saving = world.say(dave, 'commit slow slow:v1')
    await expect.poll(() => world.store.operations.openBy(dave.id, 'commit')).toBe(1)
    const going = world.say(world.admin, 'user rm dave --yes')
    await expect.poll(() => keysIn('web')).toHaveLength(1)
    const { id } = await world.container(dave, 'slow')
    expect(world.host.fake.run(id)?.authorizedKeys).toBe('')
    release()
    await Promise.all([saving, going])
    expect((await world.say(alice!, 'shares')).data).not.toContainEqual(expect.objectContaining({ member: 'dave' }))
    const again = await world.member('dave')
    expect(again.id).not.toBe(dave.id)
    await world.refused(again, 'inspect alice/web', 'not_found')
    await world.say(alice!, 'rm -f web')
    expect((await world.say(bob!, 'shares')).data).toEqual([])
  })
})

test.each([
  ['share db nobody-here', 'not_found'],
  ['share db alice', 'conflict'],
  ['share db bob --view --ssh --yes', 'usage'],
  ['unshare db bob', 'not_found'],
  ['rm -f alice/db/anything', 'not_found'],
] as const)('%s is refused', async (line, code) => {
  await world.refused(alice!, line, code)
})

test('what is offered to an admin who acts for a member is about the member, not about what the admin has', async () => {
  expect(
    (await world.say(world.admin, 'create own --image debian --as alice')).actions?.map((action) => action.line),
  ).toEqual(['stop own --as alice', 'logs own --as alice'])
  expect((await world.say(world.admin, 'rm own --yes --as alice')).actions).toEqual([
    { label: 'Try this', line: 'rm -f own --as alice' },
  ])
  expect((await world.say(world.admin, 'rm -f own --as alice')).error).toBeUndefined()
})
