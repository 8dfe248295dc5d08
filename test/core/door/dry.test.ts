import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { eachArg } from '../../../src/core/door/read.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { required } from './values.ts'
import { createWorld, type World } from './world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice', 'admin')
  await world.member('bob')
  for (const line of [
    ...['create a --image debian -m 64m', 'create b --image debian -m 64m'],
    ...['commit a one:v1', 'commit b two:v1', 'group add chemists'],
  ])
    expect((await world.say(alice, line)).error, line).toBeUndefined()
})
afterAll(() => world[Symbol.asyncDispose]())

const two: Partial<Record<string, string[]>> = {
  container: ['a', 'b'],
  'own-image': ['one:v1', 'two:v1'],
  person: ['alice', 'bob'],
  id: ['x', 'y'],
  port: ['80', '81'],
}
/** What has to be so for it to be possible, and what takes that back. */
const around: Partial<Record<string, [string, string]>> = {
  unpause: ['pause a b', 'unpause a b'],
  rm: ['stop a b', 'start a b'],
}

describe('--dry-run of several targets does nothing, and gives what each of them gives or no data', () => {
  const several = commands.filter((command) => eachArg(command) !== undefined)
  test('there are such commands', () => expect(several.length).toBeGreaterThan(8))

  test.each(several.map((command) => [command.name, command] as const))('%s', async (name, command) => {
    const [before, after] = around[name] ?? []
    if (before) await world.say(alice, before)
    const each = eachArg(command)!
    const targets = two[command.args[each]!.kind]!
    const args = { ...required(command), [each]: targets, 'dry-run': true }
    const container = Object.entries(command.args).find(([one, arg]) => one !== each && arg.kind === 'container')
    if (container) Object.assign(args, { [container[0]]: 'a' })
    const { reply, asked } = await world.tell(alice, { name, args })
    expect(reply).toMatchObject({ tone: 'info', text: 'All 2 could be done; nothing was done.' })
    expect(reply.data).toMatchObject(targets.map((target) => ({ target, error: null, operation: null })))
    expect(asked).toEqual([])
    if (after) await world.say(alice, after)
  })

  test('what is in the way of one is told', async () => {
    const reply = await world.say(alice, 'stop a nothing --dry-run')
    expect(reply).toMatchObject({
      error: 'not_found',
      text: expect.stringMatching(/^1 of 2 could be done, and nothing was; /),
    })
  })
})

test('user rm counts the ports that port ls lists, and none that DCM opens for SSH', async () => {
  await world.say(alice, 'create c --image debian -m 64m -p 80')
  await world.say(alice, 'port add c 8080 --for 1h')
  const listed = (await world.say(alice, 'port ls')).data as unknown[]
  expect((await world.say(world.admin, 'user rm alice --dry-run')).data).toMatchObject({ ports: listed.length })
  expect(listed).toHaveLength(2)
})
