import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatRemote, inward, parseRegistry, parseRemote } from '../../src/core/model/registry.ts'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
const must = async (line: string, who = alice!) => {
  const reply = await world.say(who, line)
  expect(reply.error, `${line}: ${reply.text}`).toBeUndefined()
  return reply
}
const login = (who: Person, registry: string, user: string, password: string) =>
  world.say(who, { name: 'registry login', args: { registry, user, password } })
const refs = async (who: Person) => (await world.store.images.of(who.id)).map((image) => image.ref)
/** Every name of an image in the fake engine that is DCM's. */
const tags = async () => (await world.host.engine.imageTags()).map((tag) => tag.ref).toSorted()

beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  world.host.fake.registry('open.test', {
    images: {
      'team/web:v1': { size: 50 * 2 ** 20 },
      'team/huge:v1': { size: 900 * 2 ** 30 },
      'team/evil:v1': { labels: { 'dcm.built': 'test' } },
      'team/odd__name:v1': {},
    },
  })
  world.host.fake.registry('shut.test', {
    images: { 'team/web:v1': {} },
    account: { username: 'al', password: 'correct horse' },
  })
  for (const registry of ['open.test', 'shut.test', 'off.test']) await must(`registry allow ${registry}`, world.admin)
})
afterAll(() => world[Symbol.asyncDispose]())

describe('names', () => {
  test.each([
    ['debian', 'docker.io/library/debian:latest'],
    ['bitnami/redis:7', 'docker.io/bitnami/redis:7'],
    ['index.docker.io/debian', 'docker.io/library/debian:latest'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x:1', 'localhost:5000/x:1'],
    ['r.example/a/b/c@sha256:'.concat('a'.repeat(64)), `r.example/a/b/c@sha256:${'a'.repeat(64)}`],
  ])('%s is %s', (text, full) => expect(formatRemote(parseRemote(text)!)).toBe(full))

  test.each([
    ...['', '/x', 'x/', 'UPPER/x', 'r.example:0/x', 'r.example:99999/x', 'r.example//x', 'r.example/../x', 'a..b/x'],
    ...[
      'user@r.example/x',
      'http://r.example/x',
      'r.example/x:y:z',
      'r.example/x@sha256:aa',
      'r.example/x?y',
      'r.example/x\n',
    ],
    ...[
      '-r.example/x',
      '[::1]:5000/x',
      'r.example/x#y',
      'r_e.example/x',
      '127.0.0.1%3a5000/x',
      'r.example/%2e%2e/x',
      'x'.repeat(300),
    ],
  ])('%j is none', (text) => expect(parseRemote(text)).toBeUndefined())

  test('a registry is compared letter by letter, and what may be inside is told from what looks public', () => {
    expect(['localhost', '127.1', '0x7f000001', '2130706433', '10.0.0.1:5000', 'db.internal'].map(inward)).toEqual(
      Array(6).fill(true),
    )
    expect([inward('docker.io'), inward('registry.example.com:5000')]).toEqual([false, false])
    expect(parseRegistry('registry-1.docker.io')).toBe('registry-1.docker.io')
  })
})

describe('which registries', () => {
  test.each(['localhost', 'localhost:5000', '127.0.0.1:5000', '169.254.169.254', 'open.test:443'])(
    'N01 %s is not one unless admins allowed exactly that, and the engine is not asked',
    async (registry) => {
      await world.refused(alice!, `pull ${registry}/x`, 'denied')
      await world.refused(alice!, { name: 'registry login', args: { registry, user: 'a', password: 'b' } }, 'denied')
    },
  )

  test('N01 one that may be inside is allowed after a confirmation only, and with its port only', async () => {
    const asked = await world.say(world.admin, 'registry allow 127.0.0.1:5000')
    expect(asked.text).toContain('may be the host itself or its network')
    expect((await must('registry ls', world.admin)).data).toHaveLength(3)
    await must('registry allow 127.0.0.1:5000 --yes', world.admin)
    await world.refused(alice!, 'pull 127.0.0.1/x', 'denied')
    await must('registry disallow 127.0.0.1:5000 --yes', world.admin)
  })

  test('N01 members allow and disallow none', async () => {
    for (const line of ['registry allow evil.test', 'registry disallow open.test --yes'])
      await world.refused(alice!, line, 'denied')
  })
})

describe('logins', () => {
  test('H03 a password is sealed for its row, in no list, log or audit, and each member has their own', async () => {
    expect(await login(alice!, 'shut.test', 'al', 'wrong')).toMatchObject({ error: 'denied' })
    expect((await login(alice!, 'shut.test', 'al', 'correct horse')).error).toBeUndefined()
    expect((await must('registry ls')).data).toMatchObject([
      { user: null },
      { user: null },
      { registry: 'shut.test', user: 'al' },
    ])
    expect((await must('registry ls', bob!)).data).toMatchObject([{ user: null }, { user: null }, { user: null }])
    const kept = JSON.stringify([
      ...(await world.rows('select * from registry_logins')),
      ...(await world.rows('select * from operations')),
      ...(await world.store.audit.read({ limit: 1000 })),
      ...world.logged,
    ])
    expect(kept).toContain('v1.')
    for (const form of ['correct horse', Buffer.from('correct horse').toString('base64').slice(0, 16), 'wrong'])
      expect(kept).not.toContain(form)
    await world.sql(`insert into registry_logins (owner_id, registry, username, sealed)
      select '${bob!.id}', registry, username, sealed from registry_logins where owner_id = '${alice!.id}'`)
    expect(await world.say(bob!, 'pull shut.test/team/web:v1')).toMatchObject({ error: 'conflict' })
    await must('registry logout shut.test', bob!)
    await world.refused(bob!, 'registry logout shut.test', 'not_found')
  })

  test('H09 what one may pull with their login another may not without, also while the engine has it', async () => {
    await must('pull shut.test/team/web:v1 --name private')
    const refused = await world.say(bob!, 'pull shut.test/team/web:v1')
    expect(refused).toMatchObject({ error: 'denied', text: expect.stringContaining('unauthorized') })
    expect(refused.actions).toMatchObject([{ line: 'registry login shut.test --user NAME' }])
    await world.refused(bob!, 'create x --image private', 'not_found')
    expect(await refs(bob!)).toEqual([])
    await must('rmi -f private')
  })

  test('a registry that is not allowed any more takes its logins along', async () => {
    const gone = await must('registry disallow shut.test --yes', world.admin)
    expect(gone.text).toContain('one login there forgotten')
    await must('registry allow shut.test', world.admin)
    expect((await must('registry ls')).data).toMatchObject([{}, {}, { registry: 'shut.test', user: null }])
  })
})

describe('pull', () => {
  test('is its member\u2019s alone, and one of the same content goes without the other\u2019s', async () => {
    const before = await tags()
    await must('pull open.test/team/web:v1')
    await must('pull open.test/team/web:v1', bob!)
    expect([await refs(alice!), await refs(bob!)]).toEqual([['web:v1'], ['web:v1']])
    const { engineId } = (await world.store.images.byRef(bob!.id, 'web:v1'))!
    await must('create mine --image web:v1', bob!)
    await must('rmi -f web:v1')
    expect(await world.host.engine.image(engineId)).toBeDefined()
    await must('rm -f mine', bob!)
    await must('rmi -f web:v1', bob!)
    expect(await world.host.engine.image(engineId)).toBeUndefined()
    expect(await tags()).toEqual(before)
  })

  test('leaves alone what the host itself calls so', async () => {
    const { digest, image } = world.host.fake
      .registry('open.test', { images: { 'team/web:v1': {} } })
      .images.get('team/web:v1')!
    const name = `open.test/team/web@${digest}`
    world.host.fake.addImage(name, image)
    world.host.fake.addImage('open.test/team/web:v1', { engineId: `sha256:${'e'.repeat(64)}` })
    await must('pull open.test/team/web:v1')
    await must('rmi -f web:v1')
    expect((await world.host.engine.image(name))?.engineId).toBe(image.engineId)
    expect((await world.host.engine.image('open.test/team/web:v1'))?.engineId).toBe(`sha256:${'e'.repeat(64)}`)
  })

  test('what is too large is given up by what the registry says, and nothing of it stays', async () => {
    world.host.fake.registry('open.test', {
      images: {
        'team/huge:v1': { size: 900 * 2 ** 30 },
        'team/evil:v1': { labels: { 'dcm.built': 'test' } },
        'team/odd__name:v1': {},
      },
    })
    const before = await tags()
    const refused = await world.say(alice!, 'pull open.test/team/huge:v1')
    expect(refused).toMatchObject({ error: 'limited' })
    expect(refused.text).toMatch(/^open\.test\/team\/huge:v1 is 900g or more, and you have \d.* of disk left: /)
    expect([await refs(alice!), await tags()]).toEqual([[], before])
  })

  test("B09 an image with DCM's own labels is refused", async () => {
    expect(await world.say(alice!, 'pull open.test/team/evil:v1')).toMatchObject({
      error: 'conflict',
      text: expect.stringContaining("DCM's own labels"),
    })
    expect(await refs(alice!)).toEqual([])
  })

  test('a name that is none here asks for --name, an absent image and an absent registry are told', async () => {
    await world.refused(alice!, 'pull open.test/team/odd__name:v1', 'usage')
    await must('pull open.test/team/odd__name:v1 --name odd')
    await must('rmi -f odd')
    expect(await world.say(alice!, 'pull open.test/team/nothing')).toMatchObject({ error: 'not_found' })
    expect(await world.say(alice!, 'pull off.test/x')).toMatchObject({
      error: 'conflict',
      text: 'off.test cannot be reached from this machine.',
    })
  })

  test('counts in the quota of images and of disk at once', async () => {
    await world.say(world.admin, 'quota set alice images=0')
    expect(await world.say(alice!, 'pull open.test/team/odd__name:v1 --name odd')).toMatchObject({ error: 'limited' })
    await world.say(world.admin, 'quota set alice images=9 disk=150m')
    await must('pull open.test/team/odd__name:v1 --name odd')
    expect(await world.say(alice!, 'pull open.test/team/odd__name:v1 --name odder')).toMatchObject({ error: 'limited' })
    expect(await refs(alice!)).toEqual(['odd:latest'])
    await must('rmi -f odd')
    await world.say(world.admin, 'quota unset alice images disk')
  })

  test.each(['engine.resolve', 'engine.pull', 'engine.tag', 'engine.release', 'engine.imageHas'] as const)(
    'K01 %s that fails for good leaves nothing, one whose answer is lost one image',
    async (method) => {
      const before = await tags()
      world.host.fake.fail(method, 'refused')
      expect((await world.say(alice!, 'pull open.test/team/odd__name:v1 --name odd')).error).toBeDefined()
      expect([await refs(alice!), await tags()]).toEqual([[], before])
      world.host.fake.fail(method, 'down', { after: true })
      await must('pull open.test/team/odd__name:v1 --name odd')
      expect(await refs(alice!)).toEqual(['odd:latest'])
      await must('rmi -f odd')
      expect(await tags()).toEqual(before)
    },
  )
})

describe('push', () => {
  beforeAll(async () => {
    await must('pull open.test/team/odd__name:v1 --name mine:v1')
  })

  test('sends what is one\u2019s own under a name that is gone afterwards', async () => {
    await must('push mine:v1 open.test/alice/mine:v1')
    expect(await world.host.engine.image('open.test/alice/mine:v1')).toBeUndefined()
    await must('pull open.test/alice/mine:v1 --name again', bob!)
    await must('rmi -f again', bob!)
  })

  test('offered images and those of others are not sent, nor anything to where it is not allowed', async () => {
    await world.refused(alice!, 'push debian open.test/alice/debian', 'not_found')
    await world.refused(bob!, 'push mine:v1 open.test/bob/mine', 'not_found')
    await world.refused(alice!, 'push mine:v1 other.test/alice/mine', 'denied')
    await world.refused(alice!, `push mine:v1 open.test/x@sha256:${'a'.repeat(64)}`, 'usage')
    expect(await world.say(alice!, 'push mine:v1 shut.test/alice/mine')).toMatchObject({ error: 'denied' })
    expect(await world.host.engine.image('shut.test/alice/mine:latest')).toBeUndefined()
  })

  test('B01 a name that the host itself uses for another image is not taken', async () => {
    const id = `sha256:${randomBytes(32).toString('hex')}`
    world.host.fake.addImage('open.test/team/host:v1', { engineId: id })
    expect(await world.say(alice!, 'push mine:v1 open.test/team/host:v1')).toMatchObject({ error: 'conflict' })
    expect((await world.host.engine.image('open.test/team/host:v1'))?.engineId).toBe(id)
  })

  test.each(['engine.push', 'engine.release'] as const)('K02 %s that fails leaves no name behind', async (method) => {
    const name = 'open.test/alice/again:v1'
    if (method === 'engine.push') {
      world.host.fake.fail(method, 'refused', { after: true })
      expect((await world.say(alice!, `push mine:v1 ${name}`)).error).toBeDefined()
      expect(await world.host.engine.image(name)).toBeUndefined()
    }
    world.host.fake.fail(method, 'down', { after: true })
    await must(`push mine:v1 ${name}`)
    expect(await world.host.engine.image(name)).toBeUndefined()
    expect(await refs(alice!)).toContain('mine:v1')
  })

  test('two at once under one name do not mix', async () => {
    await must('pull open.test/team/odd__name:v1 --name mine:v1', bob!)
    const go = world.host.fake.hold('engine.push')
    const first = world.say(alice!, 'push mine:v1 open.test/both:v1')
    await expect
      .poll(() => world.host.fake.calls.filter((call) => call.method === 'engine.push').length)
      .toBeGreaterThan(0)
    await expect.poll(async () => (await world.say(bob!, 'push mine:v1 open.test/both:v1')).error).toBe('conflict')
    go()
    expect((await first).error).toBeUndefined()
  })

  test('docker.io is asked about first, for everybody may read it', async () => {
    await must('registry allow docker.io', world.admin)
    const asked = await world.say(alice!, 'push mine:v1 alice/mine')
    expect(asked.text).toContain('where everybody may be able to read it')
  })
})
