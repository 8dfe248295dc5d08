import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Attendance } from '../../../src/core/door/attend.ts'
import type { Actor, Person } from '../../../src/core/model/person.ts'
import { until } from '../../setup/until.ts'
import { createWorld, type World } from './world.ts'

let world: World
let [alice]: Person[] = []
let actor: Actor
let attendance: Attendance
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  const [key] = await world.store.keys.of(alice.id)
  actor = { person: alice, surface: 'ssh', fingerprint: key!.fingerprint }
  attendance = await world.door.attend(actor, 'shell', () => undefined)
})
afterAll(() => world[Symbol.asyncDispose]())
afterEach(() => world.meddle(undefined))

const listed = async () => (await world.store.sessions.list()).flatMap((row) => row.inside)
/** The next statement of this form fails. */
function breaks(form: RegExp): void {
  world.meddle((statement) => {
    if (!form.test(statement)) return
    world.meddle(undefined)
    throw new Error('The test breaks this statement.')
  })
}

test('what could not be listed is not listed with what is entered next', async () => {
  breaks(/update "sessions" set "inside"/)
  await expect(attendance.inside('one')).rejects.toThrow()
  const left = await attendance.inside('two')
  expect(await listed()).toEqual(['two'])
  left()
  await until('nothing to be open', async () => (await listed()).length === 0)
})

test('what was left stays left, and nothing else is, when that is said again', async () => {
  const [one, two] = [await attendance.inside('one'), await attendance.inside('two')]
  one()
  one()
  const three = await attendance.inside('three')
  expect(await listed()).toEqual(['two', 'three'])
  two()
  three()
  await until('nothing to be open', async () => (await listed()).length === 0)
})

describe('what is opened in a container is listed', () => {
  let id: string
  const open = () =>
    world.door.open(actor, { container: 'web', kind: 'command', line: 'cat', terminal: null }, { attendance })
  const nothing = () => until('nothing to be open', async () => (await listed()).length === 0)
  beforeAll(async () => {
    await world.say(alice!, 'create web --image debian')
    ;({ id } = await world.container(alice!, 'web'))
    world.host.fake.programs(async function* (_, input) {
      for await (const data of input) yield { stream: 'stdout', data }
      return 3
    })
  })

  test('until it has told how it ended', async () => {
    const opened = await open()
    expect(await listed()).toEqual([id])
    opened.input.end('x')
    let said = ''
    for await (const { data } of opened.output) said += data.toString()
    expect([said, await listed()]).toEqual(['x', [id]])
    expect(await opened.status()).toBe(3)
    await nothing()
  })

  test('until it is closed', async () => {
    const opened = await open()
    opened.close()
    await nothing()
  })

  test('and no longer when it cannot be written down; nothing runs on then', async () => {
    const execs = () => world.host.fake.calls.filter((call) => call.method === 'engine.exec').length
    const before = execs()
    breaks(/insert into "audit"/)
    await expect(open()).rejects.toMatchObject({ code: 'internal' })
    await nothing()
    await until('it to be hung up', () => execs() === before + 2)
  })

  test('and not at all when it is refused', async () => {
    world.host.fake.fail('engine.exec', 'refused', { times: 2 })
    await expect(open()).rejects.toMatchObject({ code: 'conflict' })
    await nothing()
  })
})

test('who may no longer be here is told to go when they call next, in the words of a refusal', async () => {
  expect(await attendance.who()).toMatchObject({ person: { id: alice!.id }, surface: 'ssh' })
  const told: string[] = []
  const visits = async (name: string, line: string) => {
    const person = await world.member(name)
    const [key] = await world.store.keys.of(person.id)
    const visit: Actor = { person, surface: 'ssh', fingerprint: key!.fingerprint }
    const here = await world.door.attend(visit, 'shell', (why) => void told.push(why))
    const reply = await world.say(world.admin, line.replace('KEY', key!.id))
    expect(reply.error, reply.text).toBeUndefined()
    const refusal = await here.who().catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'unlinked', message: told.at(-1) ?? 'nothing was told' })
    await here.left()
    return told.at(-1)
  }
  const said = await visits('sus', 'user suspend sus')
  const sus = (await world.store.people.byName('sus'))!
  expect((await world.refused(sus, 'ps', 'denied')).text).toBe(said)
  expect(await visits('lost', 'key rm KEY --as lost --yes')).toMatch(
    /^The key that you came in with is no longer yours/,
  )
})
