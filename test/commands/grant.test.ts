import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from './world.ts'

let world: World
let [admin, alice, bob] = [] as unknown as [Person, Person, Person]
beforeAll(async () => {
  world = await createWorld()
  ;[admin, alice, bob] = [await world.member('admin', 'admin'), await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(admin, line)
const things = async (person: Person) =>
  ((await world.say(person, 'grants')).data as { thing: string }[]).map((one) => one.thing)
const limits = async (person: Person) =>
  (
    (await world.say(person, 'quota show')).data as {
      quota: Record<string, { used: number; limit: number; from: string }>
    }
  ).quota

describe('grant and revoke', () => {
  test.each([
    ['restart-policy', 'restart-policy', 'create ... --restart POLICY'],
    ['restart:on-failure:5', 'restart:on-failure:5', 'create ... --restart on-failure:5'],
    ['restart:unless-stopped', 'restart:unless-stopped', 'create ... --restart unless-stopped'],
    ['cap:cap_sys_ptrace', 'cap:SYS_PTRACE', 'create ... --cap-add SYS_PTRACE'],
    ['port:443', 'port:443', 'create ... -p 443:PORT'],
    ['quota:memory=8192m', 'quota:memory=8g', 'at once'],
  ])('%s is kept as %s and used by %s', async (typed, kept, used) => {
    const reply = await say(`grant alice ${typed}`)
    expect(reply).toMatchObject({
      text: `Granted ${kept} to alice, until it is revoked.`,
      fields: { 'used by': used },
      data: { thing: kept, expires_at: null, granted_by: 'admin' },
    })
    expect(await things(alice)).toEqual([kept])
    expect((await say(`revoke alice ${typed}`)).text).toBe(`Revoked ${kept} from alice.`)
    expect(await things(alice)).toEqual([])
    expect(await say(`revoke alice ${typed}`)).toMatchObject({
      error: 'not_found',
      text: `alice has no grant ${kept}.`,
    })
  })

  test.each([
    'privileged',
    'cap:ALL',
    'cap:SYS_ADMIN',
    'restart:always',
    'port:0',
    'mount:/',
    'quota:gpus=1',
    'device:/dev/sda',
  ])('%s is in no grammar', async (thing) => {
    expect(await say(`grant alice ${thing}`)).toMatchObject({ error: 'usage' })
  })

  test.each([
    ['device:gpu', /no device called gpu; name one with device add/],
    ['seccomp:tracing', /no seccomp profile called tracing/],
    ['image:lab', /No image lab:latest is offered here/],
  ])('%s has to be there first', async (thing, why) => {
    const reply = await say(`grant alice ${thing}`)
    expect(reply).toMatchObject({ error: 'not_found' })
    expect(reply.text).toMatch(why)
  })

  test('an image that is offered can be granted', async () => {
    await world.store.images.insert({
      id: 'ilab',
      hostId: 'local',
      ref: 'lab:latest',
      engineId: 'sha256:0',
      engineRef: 'dcm/lab',
      size: 1,
      layers: 1,
      ssh: true,
      restricted: true,
    })
    expect((await say('grant alice image:lab')).fields).toMatchObject({
      thing: 'image:lab:latest',
      'used by': 'create ... --image lab:latest',
    })
    await say('revoke alice image:lab:latest')
  })

  test('N02: for a while; renewed it lives from then, and an expired one is not there', async () => {
    const { data } = await say('grant alice restart-policy --for 7d')
    const left = new Date((data as { expires_at: string }).expires_at).getTime() - Date.now()
    expect(left / 86_400_000).toBeCloseTo(7, 1)
    expect((await say('grant alice restart-policy')).data).toMatchObject({ expires_at: null })
    await world
      .context({ person: admin, surface: 'http' })
      .grants.give(alice, 'x', { kind: 'restart-policy' }, 1, admin)
    expect(await things(alice)).toEqual([])
    expect((await world.say(alice, 'grants')).text).toBe('You have no grants.')
  })

  test('someone who is leaving gets nothing any more', async () => {
    const leaver = await world.member('leaver')
    await world.store.people.update(leaver.id, { state: 'leaving' })
    expect(await say('grant leaver restart-policy')).toMatchObject({ error: 'conflict' })
  })
})

describe('quota', () => {
  test('the site, unless the member, unless a higher grant', async () => {
    expect((await limits(bob))['memory']).toEqual({ used: 0, limit: 4 * 2 ** 30, from: 'site', group: null })
    expect((await say('quota set bob memory=2g cpus=1.5')).text).toBe('The quota of bob is now memory=2g, cpus=1.5.')
    expect(await limits(bob)).toMatchObject({
      memory: { limit: 2 * 2 ** 30, from: 'member', group: null },
      cpus: { limit: 1.5, from: 'member', group: null },
      containers: { limit: 10, from: 'site', group: null },
    })
    await say('grant bob quota:memory=8g')
    await say('grant bob quota:memory=6g')
    expect((await limits(bob))['memory']).toEqual({ used: 0, limit: 8 * 2 ** 30, from: 'grant', group: null })
    await say('revoke bob quota:memory=8g')
    expect((await limits(bob))['memory']).toMatchObject({ limit: 6 * 2 ** 30 })
    await say('grant bob quota:memory=1g')
    await say('revoke bob quota:memory=6g')
    expect((await limits(bob))['memory']).toMatchObject({ limit: 2 * 2 ** 30, from: 'member', group: null })
    expect((await say('quota set bob memory=8')).text).toBe(
      'memory=8 is less than any container takes; 8 alone is bytes, so write memory=8m or memory=8g.',
    )
    expect((await say('quota unset bob memory')).text).toBe("bob has the site's quota of memory again.")
    expect(await limits(bob)).toMatchObject({
      memory: { from: 'site', group: null },
      cpus: { from: 'member', group: null },
    })
  })

  test('the site is shown and changed for everyone who has none of their own', async () => {
    expect((await say('quota site')).data).toMatchObject({ containers: 10, cpus: 5 })
    expect((await say('quota site containers=3 disk=5g')).data).toMatchObject({
      containers: 3,
      disk: 5 * 2 ** 30,
      images: 10,
    })
    expect((await say('quota site images=4')).data).toMatchObject({ containers: 3, images: 4 })
    expect(await limits(alice)).toMatchObject({
      containers: { limit: 3, from: 'site', group: null },
      images: { limit: 4 },
    })
  })

  test('a quota below what is used is set, and said', async () => {
    await world.store.people.setUsage(bob.id, { containersCap: 9 })
    await world.store.people.setUsage(bob.id, { containers: 4 })
    const reply = await say('quota set bob containers=2')
    expect(reply).toMatchObject({ tone: 'warn' })
    expect(reply.text).toBe(
      'The quota of bob is now containers=2; they use 4 of containers already and keep it, but get no more.',
    )
    await world.store.people.setUsage(bob.id, { containers: 0 })
  })

  test.each([
    ['quota set bob', /needs/],
    ['quota set bob memory', /RESOURCE=AMOUNT/],
    ['quota set bob gpus=1', /RESOURCE is one of/],
    ['quota set bob memory=-1', /like memory=8g/],
    ['quota set bob containers=99999', /at most 10000/],
    ['quota unset bob gpus', /one of containers/],
  ])('%s is refused', async (line, why) => {
    const reply = await say(line)
    expect(reply).toMatchObject({ error: 'usage' })
    expect(reply.text).toMatch(why)
  })

  test('many changes at once all hold', async () => {
    await Promise.all(
      ['containers=7', 'running=6', 'images=5', 'ports=4', 'pids=333'].map((change) => say(`quota set bob ${change}`)),
    )
    expect(await limits(bob)).toMatchObject({
      containers: { limit: 7 },
      running: { limit: 6 },
      images: { limit: 5 },
      ports: { limit: 4 },
      pids: { limit: 333 },
    })
  })
})

describe('capacity', () => {
  test('tells what the host has, and keeps some of it back', async () => {
    expect((await say('capacity')).data).toEqual([
      {
        host: 'local',
        reachable: true,
        seen_at: expect.any(String),
        memory: { total: 16 * 2 ** 30, reserve: 0, admitted: 0 },
        cpus: { total: 4, admitted: 0 },
      },
    ])
    expect((await say('capacity --reserve 2g')).data).toMatchObject([{ memory: { reserve: 2 * 2 ** 30 } }])
    expect((await world.store.hosts.byId('local'))!.memoryCap).toBe(14 * 2 ** 30)
    expect(await say('capacity --reserve 16g')).toMatchObject({
      error: 'usage',
      text: 'Host local has 16g of memory; keep back less than that.',
    })
  })
})

describe('devices and seccomp profiles', () => {
  test('are named, listed, granted, and forgotten with their grants', async () => {
    expect((await say('device add gpu /dev/dri/renderD128 --about "For rendering."')).data).toEqual({
      name: 'gpu',
      path: '/dev/dri/renderD128',
      about: 'For rendering.',
    })
    expect((await say('device ls')).table?.rows).toEqual([['gpu', '/dev/dri/renderD128', 'For rendering.']])
    expect((await say('grant alice device:gpu')).fields).toMatchObject({ 'used by': 'create ... --device gpu' })
    expect(await say('device add gpu /dev/kvm')).toMatchObject({ error: 'conflict' })
    expect(await say('device rm gpu')).toMatchObject({ data: { confirm: true } })
    expect(await things(alice)).toEqual(['device:gpu'])
    expect((await say('device rm gpu --yes')).error).toBeUndefined()
    // Whoever names another device so later gives it to nobody by that.
    expect(await things(alice)).toEqual([])
    expect(await say('device rm gpu --yes')).toMatchObject({ error: 'not_found' })
    expect((await say('device ls')).data).toEqual([])
  })

  test.each(['/dev/sda', '/dev/mem', '/etc/passwd', '/dev/../etc/shadow', '/dev/kvm:rwm', '/var/run/docker.sock'])(
    'A09: %s is no device to offer',
    async (path) => {
      expect(await say(`device add x ${path}`)).toMatchObject({ error: 'usage' })
      expect((await say('device ls')).data).toEqual([])
    },
  )

  test('a profile is read strictly and kept without what is not known', async () => {
    const profile = JSON.stringify({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
    })
    expect((await say(`seccomp add tracing '${profile}' --about "For tracing."`)).data).toEqual({
      name: 'tracing',
      about: 'For tracing.',
    })
    expect((await world.store.site.seccomps())[0]!.json).toBe(profile)
    expect((await say('seccomp ls')).data).toEqual([{ name: 'tracing', about: 'For tracing.' }])
    await say('grant alice seccomp:tracing')
    expect(await say(`seccomp add tracing '{"defaultAction":"SCMP_ACT_KILL"}'`)).toMatchObject({ error: 'conflict' })
    await say('seccomp rm tracing --yes')
    expect(await things(alice)).toEqual([])
  })

  test.each([`'{"defaultAction":"SCMP_ACT_ALLOW"}'`, `'{}'`, 'unconfined', `'[1]'`])(
    'A07: the profile %s is refused',
    async (text) => {
      expect(await say(`seccomp add open ${text}`)).toMatchObject({ error: 'usage' })
      expect((await say('seccomp ls')).data).toEqual([])
    },
  )
})
