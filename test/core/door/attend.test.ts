import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
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
