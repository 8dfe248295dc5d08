import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import type { Command, Need } from '../../../src/core/command/define.ts'
import type { Actor, Person, Scope } from '../../../src/core/model/person.ts'
import type { ErrorCode } from '../../../src/core/reply/error.ts'
import { required } from './values.ts'
import { createWorld, publicKey, type World } from './world.ts'

let world: World
let [alice, bob, root]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob, root] = [await world.member('alice'), await world.member('bob'), await world.member('root2', 'admin')]
  for (const name of ['web', 'db'])
    expect((await world.say(alice, `create ${name} --image debian`)).error).toBeUndefined()
  expect((await world.say(root, 'create web --image debian')).error).toBeUndefined()
  await world.say(alice, 'commit web web:v1')
  for (const one of [alice, bob, root])
    for (const what of ['volume create data', 'network create back']) await world.say(one, what)
  await world.say(world.admin, 'group add chemists')
  await world.say(root, 'registry allow registry.test')
})
afterAll(() => world[Symbol.asyncDispose]())

type Who = 'owner' | 'another member' | 'admin' | 'owner, suspended' | 'owner, leaving' | 'nobody'
const who: readonly Who[] = ['owner', 'another member', 'admin', 'owner, suspended', 'owner, leaving', 'nobody']

/** What each may do to alice's container, or at all where a need is not about containers. Undefined: it is carried out. */
const table: Record<Need, Record<Who, ErrorCode | undefined>> = {
  anyone: {
    owner: undefined,
    'another member': undefined,
    admin: undefined,
    'owner, suspended': undefined,
    'owner, leaving': undefined,
    nobody: undefined,
  },
  member: {
    owner: undefined,
    'another member': undefined,
    admin: undefined,
    'owner, suspended': 'denied',
    'owner, leaving': 'unlinked',
    nobody: 'unlinked',
  },
  look: {
    owner: undefined,
    'another member': 'not_found',
    admin: undefined,
    'owner, suspended': 'denied',
    'owner, leaving': 'unlinked',
    nobody: 'unlinked',
  },
  enter: {
    owner: undefined,
    'another member': 'not_found',
    admin: undefined,
    'owner, suspended': 'denied',
    'owner, leaving': 'unlinked',
    nobody: 'unlinked',
  },
  operate: {
    owner: undefined,
    'another member': 'not_found',
    admin: undefined,
    'owner, suspended': 'denied',
    'owner, leaving': 'unlinked',
    nobody: 'unlinked',
  },
  own: {
    owner: undefined,
    'another member': 'not_found',
    admin: undefined,
    'owner, suspended': 'denied',
    'owner, leaving': 'unlinked',
    nobody: 'unlinked',
  },
  admin: {
    owner: 'denied',
    'another member': 'denied',
    admin: undefined,
    'owner, suspended': 'denied',
    'owner, leaving': 'unlinked',
    nobody: 'unlinked',
  },
}

const actorOf = (one: Who): Actor => {
  const person = {
    owner: alice,
    'another member': bob,
    admin: root,
    'owner, suspended': { ...alice!, state: 'suspended' as const },
    'owner, leaving': { ...alice!, state: 'leaving' as const },
    nobody: null,
  }[one]
  return { person: person!, surface: 'http' }
}

/** The arguments that name alice's container, and nothing else that would be asked: `--dry-run` stops before anything happens. */
function dry(command: Command, admin: boolean): Record<string, unknown> {
  const args = required(command)
  for (const [name, arg] of Object.entries(command.args))
    if (arg.kind === 'place' && args[name] !== '-') args[name] = `${admin ? 'alice/web' : 'web'}:/srv`
    else if (arg.kind === 'container')
      args[name] = arg.each ? [admin ? 'alice/web' : 'web'] : admin ? 'alice/web' : 'web'
  return { ...args, 'dry-run': true }
}

describe('role, need and relation', () => {
  const rows = commands
    .filter((command) => !Object.values(command.args).some((arg) => arg.kind === 'own-image'))
    // They are about what is there of the caller's own, which only some of these have.
    .filter((command) => !['compose stop', 'compose down'].includes(command.name))
    .flatMap((command) => who.map((one) => [command.name, command.needs, one, command] as const))
  test.each(rows)('%s (%s) by %s', async (name, need, one, command) => {
    const asked = () => world.host.fake.calls.filter((call) => call.method.startsWith('engine.')).length
    const before = asked()
    const hasContainer = Object.values(command.args).some((arg) => ['container', 'place'].includes(arg.kind))
    const expected = need !== 'admin' && !hasContainer && one === 'another member' ? undefined : table[need][one]
    const reply = await world.door.handle({ actor: actorOf(one), input: { name, args: dry(command, one === 'admin') } })
    // A right is there even when the state of things is in the way: unpausing what is not paused.
    if (need === 'anyone') expect(reply.error, reply.text).not.toBe('internal')
    else if (expected === undefined)
      expect(['usage', 'unlinked', 'denied', 'not_found', 'internal'], reply.text).not.toContain(reply.error)
    else expect(reply.error, reply.text).toBe(expected)
    if (command.changes) expect(asked()).toBe(before)
  })
})

describe('a scoped token', () => {
  const as = (person: Person, scope: Scope) => ({ actor: { ...({ person } as object), tokenId: 't', scope } })

  test.each(
    commands.filter((command) => command.changes === 'rights').map((command) => [command.name, command] as const),
  )('nor a hook may ever use %s, which changes who may do what', async (name, command) => {
    for (const surface of ['http', 'hook'] as const) {
      const actor = { person: root!, surface, tokenId: 't', scope: { commands: [name], containers: null } }
      const reply = await world.door.handle({ actor, input: { name, args: { ...required(command), yes: true } } })
      expect(reply).toMatchObject({ error: 'denied', text: expect.stringContaining('for people to change') })
    }
  })

  test('there are such commands', () => {
    const names = commands.filter((command) => command.changes === 'rights').map((command) => command.name)
    expect(names).toEqual(
      expect.arrayContaining(['grant', 'token new', 'key add', 'group grant', 'user invite', 'approve']),
    )
  })

  test('is good for its commands only', async () => {
    const how = as(alice!, { commands: ['ps', 'key'], containers: null })
    for (const line of ['ps', 'key ls']) expect((await world.say(alice!, line, how)).error, line).toBeUndefined()
    for (const line of ['restart web', 'whoami', 'rm -f web', 'images'])
      expect(await world.refused(alice!, line, 'denied', how), line).toMatchObject({
        text: expect.stringMatching(/^(This token may not use|A narrowed token may not use)/),
      })
  })

  test('of an admin shows no restricted image that they were not granted, wherever it is asked for', async () => {
    world.host.fake.addImage('secret:1')
    await world.say(world.admin, 'image offer secret:1 --name hidden --restricted')
    const seen = async (how = {}) => {
      const { data } = await world.say(world.admin, 'images', how)
      const one = await world.say(world.admin, 'image show hidden', how)
      return [(data as { image: string }[]).some(({ image }) => image.startsWith('hidden')), one.error !== 'not_found']
    }
    expect(await seen()).toEqual([true, true])
    expect(await seen(as(world.admin, { commands: ['images', 'image'], containers: null }))).toEqual([false, false])
  })

  test('is good for its containers only, and the others are as if they were not there', async () => {
    const how = as(alice!, { commands: null, containers: ['web'] })
    expect((await world.say(alice!, 'ps', how)).data).toMatchObject([{ name: 'web' }])
    expect((await world.say(alice!, 'restart web', how)).error).toBeUndefined()
    const strip = (reply: unknown, name: string) => JSON.stringify(reply).replaceAll(name, '<it>')
    expect(strip(await world.refused(alice!, 'restart db', 'not_found', how), 'db')).toBe(
      strip(await world.refused(alice!, 'restart zz', 'not_found', how), 'zz'),
    )
    for (const line of ['create more --image debian', 'rmi x:1 -f']) await world.refused(alice!, line, 'denied', how)
    // Nor what lists all that is theirs, and so the others, or makes one beside them.
    const wide = [
      'df',
      'events',
      'schedule ls',
      'hook ls',
      'volume ls',
      'network ls',
      'compose ps',
      'sessions',
      'shares',
    ]
    for (const line of [...wide, 'clone web web9']) await world.refused(alice!, line, 'denied', how)
    expect((await world.say(alice!, 'events web', how)).error).toBeUndefined()
  })

  test('that is good for some containers gives them no volume or network of its owner, and replaces no other image', async () => {
    const how = as(alice!, { commands: null, containers: ['web'] })
    for (const line of ['volume create keys', 'network create behind', 'commit db prod:v1', 'commit web mine:v1'])
      expect((await world.say(alice!, line)).error, line).toBeUndefined()
    for (const line of [
      'recreate web -v keys:/keys --yes',
      'recreate web --network behind --yes',
      'network connect back web',
    ])
      expect((await world.refused(alice!, line, 'not_found', how)).text, line).toMatch(/^You have no (volume|network)/)
    expect((await world.refused(alice!, 'commit web prod:v1', 'denied', how)).text).toBe(
      'This token may not replace prod:v1, which was not saved from web.',
    )
    expect((await world.say(alice!, 'commit web mine:v1', how)).error).toBeUndefined()
    for (const line of ['rmi prod:v1 mine:v1 -f', 'volume rm keys --yes', 'network rm behind'])
      expect((await world.say(alice!, line)).error, line).toBeUndefined()
  })

  test('of a member offers in completion what it is good for', async () => {
    expect(
      await world.door.complete(
        { person: alice!, surface: 'http', scope: { commands: null, containers: ['web'] } },
        'stop ',
      ),
    ).toEqual(['web'])
  })

  test.each(['token new more', 'token rm x', `key add ${publicKey()}`, 'key rm x'])(
    'never widens itself: %s',
    async (line) => {
      const name = line.split(' ').slice(0, 2).join(' ')
      await world.refused(alice!, line, 'denied', as(alice!, { commands: [name], containers: null }))
    },
  )

  test('may not act for another by --as', async () => {
    await world.refused(root!, 'ps --as alice', 'denied', as(root!, { commands: ['ps'], containers: null }))
  })

  test("of an admin is good for that admin's own containers, not for others' of the same name", async () => {
    const how = as(root!, { commands: null, containers: ['web'] })
    expect((await world.say(root!, 'restart web', how)).error).toBeUndefined()
    await world.refused(root!, 'restart alice/web', 'not_found', how)
    for (const line of ['inventory', 'audit', 'user ls', 'user show alice', 'doctor'])
      await world.refused(root!, line, 'denied', how)
    for (const line of ['key ls alice', 'token ls alice', 'grants alice', 'quota show alice'])
      await world.refused(root!, line, 'not_found', how)
  })

  test('N10: of a suspended member is good for nothing', async () => {
    const suspended = { ...bob!, state: 'suspended' as const }
    const reply = await world.door.handle({
      actor: { person: suspended, surface: 'http', scope: { commands: ['ps'], containers: null } },
      input: { line: 'ps' },
    })
    expect(reply.error).toBe('denied')
    expect(await world.door.complete({ person: suspended, surface: 'http' }, 'p')).toEqual([])
  })
})

describe('N07: --as', () => {
  test("has exactly that member's rights, quota and things", async () => {
    await world.say(root!, 'quota set bob containers=1')
    const { reply, rows } = await world.tell(root!, 'create one --image debian --as bob')
    expect(reply.data).toMatchObject({ owner: 'bob', name: 'one' })
    expect(rows).toMatchObject([{ actor: 'root2', as: 'bob', decision: 'done', command: 'create', target: 'one' }])
    expect((await world.refused(root!, 'create two --image debian --as bob', 'limited')).text).toContain('1 container ')
    await world.refused(root!, 'create two --image debian --cap-add NET_RAW --as bob', 'denied')
    await world.refused(root!, 'user ls --as bob', 'denied')
    await world.refused(root!, 'restart alice/web --as bob', 'not_found')
    expect((await world.say(root!, 'ps --as bob')).data).toMatchObject([{ name: 'one' }])
  })

  test('is written down with both names, also when nothing changes and when it is refused', async () => {
    expect((await world.tell(root!, 'ps --as bob')).rows).toMatchObject([
      { actor: 'root2', as: 'bob', decision: 'done' },
    ])
    const { rows } = await world.tell(root!, 'inspect nothing --as bob')
    expect(rows).toMatchObject([{ actor: 'root2', as: 'bob', decision: 'refused', code: 'not_found' }])
  })

  test('is not for members, nor twice, nor for someone who is not there', async () => {
    await world.refused(alice!, 'ps --as bob', 'denied')
    for (const as of ['nobody-here', 'a\0b', '../bob', 'bob\n'])
      await world.refused(root!, { name: 'ps', args: { as } }, 'not_found')
    await world.refused(root!, { name: 'ps', args: { as: 'bob', owner: 'alice' } }, 'usage')
  })
})

describe('C07: fields that name another', () => {
  test.each(['owner', 'user', 'userId', 'ownerId', 'owner_id', 'person', 'by', 'actor', 'scope'])(
    '%s is refused',
    async (field) => {
      await world.refused(alice!, { name: 'create', args: { name: 'x', image: 'debian', [field]: 'bob' } }, 'usage')
    },
  )
})
