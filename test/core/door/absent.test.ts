import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { type KindName, kinds } from '../../../src/core/command/kinds.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { required } from './values.ts'
import { createWorld, type World } from './world.ts'

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
})
afterAll(() => world[Symbol.asyncDispose]())

/** What is another's, by every name there is of it; and one of the same shape that is nobody's. */
async function pairs(kind: KindName): Promise<[string, string][]> {
  const theirs = await world.container(bob!, 'vault')
  const turn = (text: string) => text.replace(/[0-9a-z]$/, (last) => (last === 'a' ? 'b' : 'a'))
  const image = (await world.store.images.of(bob!.id))[0]!
  const both = (...names: string[]): [string, string][] => names.map((name) => [name, turn(name)])
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

const named = commands.flatMap((command) =>
  Object.entries(command.args)
    .filter(([, arg]) => kinds[arg.kind].names !== undefined)
    .map(([name, arg]) => [`${command.name}: ${name}`, command, name, arg] as const),
)

describe("C01, B02: what is another member's is as if it were not there, for every command and name", () => {
  test('there are such commands', () => expect(named.length).toBeGreaterThan(15))

  test.each(named)('%s', async (_, command, name, arg) => {
    for (const [theirs, nobodys] of await pairs(arg.kind)) {
      const ask = async (value: string) => {
        const told = arg.kind === 'place' ? `${value}:/etc` : value
        const said = {
          name: command.name,
          args: { ...required(command), [name]: arg.each || arg.many ? [told] : told, yes: true },
        }
        const code = command.needs === 'admin' ? 'denied' : 'not_found'
        const reply = await world.refused(alice!, said, code)
        return JSON.stringify(reply)
          .replaceAll(value.slice(0, 80), '<it>')
          .replaceAll(value.slice(0, 60), '<it>')
          .replaceAll(value.slice(0, 40), '<it>')
          .replaceAll(value.split(':/')[0]!.slice(0, 60), '<it>')
      }
      expect(await ask(theirs), theirs).toBe(await ask(nobodys))
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
