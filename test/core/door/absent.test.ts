import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import type { Reply } from '../../../src/core/reply/reply.ts'
import { createHttp } from '../../../src/adapters/http/index.ts'
import type { KindName } from '../../../src/core/command/kinds.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { isFree, namesThing, type Thing, things, words } from './named.ts'
import { required } from './values.ts'
import { createWorld, publicKey, type World } from './world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  for (const [who, name] of [
    [alice, 'web'],
    [bob, 'vault'],
  ] as const) {
    expect((await world.say(who, `create ${name} --image debian`)).error).toBeUndefined()
    expect((await world.say(who, `commit ${name} ${name}:v1`)).error).toBeUndefined()
  }
  expect((await world.say(world.admin, 'group add chemists')).error).toBeUndefined()
  for (const line of ['volume create treasure', 'network create hideout'])
    expect((await world.say(bob, line)).error).toBeUndefined()
  world.host.fake.addImage('secret:1')
  await world.say(world.admin, 'image offer secret:1 --name hidden --restricted')
  for (const name of ['first.test', 'other.test']) {
    world.host.fake.registry(name)
    await world.say(world.admin, `registry allow ${name} --yes`)
  }
  await world.say(world.admin, 'user link bob slack:T1/UBOB')
  for (const said of [
    { name: 'compose up', args: { file: 'name: treat\nservices: { web: { image: bare } }' } },
    { name: 'registry login', args: { registry: 'first.test', user: 'bob', password: 'of-bob' } },
    'schedule vault stop "0 20 * * *"',
    { name: 'secret set', args: { container: 'vault', name: 'RECIPE', value: 'of-bob' } },
    'hook new ferry --do "restart vault"',
    `key add ${publicKey('bob@desk')}`,
    'token new bobs',
  ]) {
    const { error, text } = await world.say(bob, said)
    expect(error, text).toBeUndefined()
  }
  const at = { holder: 'test', address: '::1', fingerprint: 'SHA256:x', doing: 'prompt' }
  await world.store.sessions.insert({ id: 'bobsbobsbobs', ownerId: bob.id, ...at }, 600_000)
})
afterAll(() => world[Symbol.asyncDispose]())

/** What is another's, by every name there is of it; and one of the same shape that is nobody's. */
async function pairs(kind: KindName): Promise<[string, string][]> {
  const theirs = await world.container(bob!, 'vault')
  const image = (await world.store.images.of(bob!.id))[0]!
  switch (kind) {
    case 'container':
      return both(
        'vault',
        'bob/vault',
        theirs.id,
        theirs.engineId!,
        theirs.engineId!.slice(0, 12),
        theirs.engineId!.slice(0, 3),
        theirs.engineName,
      )
    case 'place':
      return both('vault', 'bob/vault', theirs.id, theirs.engineId!)
    case 'image':
    case 'own-image':
      return [
        ...both(
          'vault:v1',
          'bob/vault:v1',
          image.id,
          image.engineId,
          image.engineId.slice(7),
          image.engineId.slice(7, 19),
          image.engineId.slice(7, 11),
          image.engineRef,
          `vault@${image.engineId}`,
        ),
        ['hidden', 'hiddem'],
      ]
    case 'offered-image':
      return both('vault:v1', 'hidden')
    case 'volume': {
      const { id } = (await world.store.volumes.of(bob!.id))[0]!
      return both('treasure', 'bob/treasure', id)
    }
    case 'network': {
      const { id } = (await world.store.networks.of(bob!.id))[0]!
      return both('hideout', 'bob/hideout', id, `dcm-test-net-${id}`)
    }
    case 'mount':
      return (await pairs('volume')).map(([theirs, nobodys]) => [`${theirs}:/data`, `${nobodys}:/data`])
    case 'group':
      return both('chemists')
    case 'person':
      return both('bob', bob!.id)
    default:
      throw new Error(`Say what names of the kind ${kind} are another's, and what are nobody's.`)
  }
}

const turn = (text: string) => text.replace(/[0-9a-z]$/i, (last) => (last === 'a' ? 'b' : last === 'A' ? 'B' : 'a'))
const both = (...names: string[]): [string, string][] => names.map((name) => [name, turn(name)])

/** The same for what no kind says. */
async function pairsOf(thing: Thing): Promise<[string, string][]> {
  switch (thing) {
    case 'compose ps: project':
    case 'compose logs: project':
    case 'compose stop: project':
    case 'compose down: project':
      return both('treat')
    case 'registry logout: registry':
      return [['first.test', 'other.test']]
    case 'schedule rm: id':
      return both((await world.store.schedules.of(bob!.id))[0]!.id)
    case 'secret rm: name':
      return both('RECIPE')
    case 'hook show: hook':
    case 'hook rotate: hook':
    case 'hook rm: hook':
    case 'hook log: hook':
      return both('ferry', (await world.store.hooks.of(bob!.id))[0]!.id)
    case 'unlink: account':
      return both('slack:T1/UBOB')
    case 'key rm: key': {
      const key = (await world.store.keys.of(bob!.id)).at(-1)!
      return both(key.id, key.fingerprint, key.comment)
    }
    case 'token rm: token':
      return both('bobs', (await world.store.tokens.of(bob!.id))[0]!.id)
    case 'sessions kill: id':
      return both('bobsbobsbobs')
    case 'outcome: id':
      return both((await world.store.operations.recent(bob!.id, 1))[0]!.id)
  }
}

const args = commands.flatMap((command) =>
  Object.entries(command.args).map(([name, arg]) => [`${command.name}: ${name}`, command, name, arg] as const),
)
const named = args.filter(([, command, name]) => namesThing(command, name))

/** A reply with nothing in it that has to differ: the name, in full or cut, secrets and ids made for it, and times. */
const shapeOf = (reply: Reply, name: string): string =>
  [80, 60, 40]
    .reduce((text, length) => text.replaceAll(name.slice(0, length), '<it>'), JSON.stringify(reply))
    .replaceAll(name.split(':/')[0]!.slice(0, 60), '<it>')
    .replace(/(dcm|whsec)_[\w+/=]+|\d{4}-\d\d-\d\d[\dT:.Z ]+|"id":"\w{12}"|\/v1\/hooks\/\w+/g, '<new>')

describe("C01, B02: what is another member's is as if it were not there, for every command and name", () => {
  test('there are such commands', () => expect(named.length).toBeGreaterThan(50))

  test('whatever is given in words is said to name something or not', () => {
    const said = args.filter(([, command, name]) => isFree(command, name)).map(([what]) => what)
    expect(said.toSorted()).toEqual([...things, ...words].toSorted())
  })

  test.each(named)('%s', async (what, command, name, arg) => {
    const thing = things.find((one) => one === what)
    for (const [theirs, nobodys] of await (thing ? pairsOf(thing) : pairs(arg.kind))) {
      const ask = async (value: string) => {
        const told = arg.kind === 'place' ? `${value}:/etc` : value
        const said = {
          name: command.name,
          args: { ...required(command), [name]: arg.each || arg.many ? [told] : told, yes: true },
        }
        const code = command.needs === 'admin' ? 'denied' : 'not_found'
        return shapeOf(await world.refused(alice!, said, code), value)
      }
      expect(await ask(theirs), theirs).toBe(await ask(nobodys))
    }
  })

  test.each([
    (name: string) => `can stop ${name}`,
    (name: string) => `can create other --image ${name}:v1`,
    (name: string) => `can compose down ${name}`,
    (name: string) => `hook new ci --do "restart ${name}"`,
    (name: string) => `token new ci --container ${name}`,
    (name: string) => `create other --image debian --device ${name}`,
    (name: string) => `create other --image debian --seccomp ${name}`,
  ])('in words, the same is said of both: %s', async (line) => {
    const answers = []
    for (const name of both('vault', 'treat', 'laser')) {
      const said = []
      for (const one of name) {
        const reply = await world.say(alice!, line(one))
        said.push(shapeOf(reply, one))
        await world.say(alice!, line(one).startsWith('hook') ? 'hook rm ci --yes' : 'token rm ci')
      }
      expect(said[0]).toBe(said[1])
      answers.push(...said)
    }
    expect(answers).toHaveLength(6)
  })

  test('over HTTP: uploads, downloads and operations', async () => {
    const token = (await world.say(alice!, 'token new files')).code!
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const http = createHttp({ door: world.door, log: log as never, version: '0' })
    const ask = async (path: string, name: string, body?: Uint8Array<ArrayBuffer>) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-tar' }
      const url = new URL(path.replace('NAME', name), 'http://dcm')
      const answer = await http.fetch(new Request(url, { headers, ...(body ? { method: 'POST', body } : {}) }))
      return `${answer.status} ${(await answer.text()).replaceAll(name, 'NAME')}`
    }
    const tar = new Uint8Array(1024)
    const { operation } = await world.say(bob!, 'restart vault')
    for (const [path, theirs, body] of [
      ['/v1/cp?source=-&target=NAME:/srv&name=a', 'vault', tar],
      ['/v1/cp?source=-&target=NAME:/srv&name=a', 'bob/vault', tar],
      ['/v1/inbox?container=NAME&name=a', 'vault', tar],
      ['/v1/export?container=NAME', 'vault', undefined],
      ['/v1/operations/NAME', operation!.id, undefined],
      ['/v1/operations/NAME?wait=1', operation!.id, undefined],
    ] as const) {
      const answer = await ask(path, theirs, body)
      expect(answer, path).toMatch(/^404 /)
      expect(await ask(path, turn(theirs), body), path).toBe(answer)
    }
  })

  test('--as says the same to a member, whoever is named', async () => {
    const said = (name: string) => world.refused(alice!, `ps --as ${name}`, 'denied')
    expect(await said('bob')).toEqual(await said('nobody-at-all'))
  })

  test('an operation of another is as if it were not there', async () => {
    const reply = await world.say(bob!, 'restart vault')
    const look = (id: string) =>
      world.door.operation({ person: alice!, surface: 'http' }, id).catch((error: Error) => error.message)
    expect(await look(reply.operation!.id)).toBe(await look('zzzzzzzzzzzz'))
    expect(await world.door.operation({ person: bob!, surface: 'http' }, reply.operation!.id)).toMatchObject({
      state: 'done',
    })
  })

  test('nothing of it was touched', async () => {
    expect(await world.container(bob!, 'vault')).toMatchObject({ state: 'running', desired: 'running' })
    expect((await world.store.images.of(bob!.id)).map((image) => image.ref)).toEqual(['vault:v1'])
  })
})

test('a caller whom DCM does not know learns nothing of any thing, by any command', async () => {
  for (const command of commands.filter((one) => one.needs !== 'anyone')) {
    const reply = await world.door.handle({
      actor: { person: null, surface: 'http' },
      input: { name: command.name, args: {} },
    })
    expect(reply, command.name).toMatchObject({ error: 'unlinked' })
    expect(reply.ask, command.name).toBeUndefined()
  }
  expect(
    (await world.door.handle({ actor: { person: null, surface: 'http' }, input: { line: 'help' } })).error,
  ).toBeUndefined()
})
