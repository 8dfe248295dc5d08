import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor, Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [ada, mallory]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[ada, mallory] = [await world.member('ada'), await world.member('mallory')]
  for (const name of ['web', 'db'])
    expect((await world.say(ada, `create ${name} --image debian -m 64m`)).error).toBeUndefined()
})
afterAll(() => world[Symbol.asyncDispose]())

const narrowed = (person: Person, commands: string[] | null, containers: string[] | null): Actor => ({
  person,
  surface: 'http',
  scope: { commands, containers },
})
const begun = async (line: string, who = ada!) => (await world.say(who, line)).operation!.id

test('a token follows the operations that it could have begun, and no others', async () => {
  const [web, db] = [await begun('restart web'), await begun('restart db')]
  const see = (actor: Actor, id: string) =>
    world.door.operation(actor, id).then(
      () => true,
      (error: { code: string }) => error.code,
    )
  const own = narrowed(ada!, ['restart'], ['web'])
  expect([await see(own, web), await see(own, db)]).toEqual([true, 'not_found'])
  expect(await see(narrowed(ada!, ['ps'], null), web)).toBe('not_found')
  expect(await see(narrowed(ada!, ['restart'], null), db)).toBe(true)
  expect(await see(narrowed(mallory!, null, null), web)).toBe('not_found')
  // An admin's token for containers is for the admin's own.
  expect(await see(narrowed(world.admin, null, ['web']), web)).toBe('not_found')
  expect(await see({ person: world.admin, surface: 'http' }, web)).toBe(true)
  const saved = await begun('commit web mine:v1')
  expect(await see(narrowed(ada!, null, ['web']), saved)).toBe(true)
})

test('a narrower token gets no answer that another was given under the same Idempotency-Key', async () => {
  const how = { idempotencyKey: 'k1' }
  const first = await world.say(ada!, 'pause db', how)
  expect(first.error).toBeUndefined()
  const narrow = await world.refused(ada!, 'pause db', 'conflict', {
    ...how,
    actor: narrowed(ada!, ['pause'], ['web']),
  })
  expect(narrow.data).toBeUndefined()
  expect(await world.say(ada!, 'pause db', how)).toEqual(first)
  // Another member's key is another key.
  await world.refused(mallory!, 'pause db', 'not_found', how)
})
