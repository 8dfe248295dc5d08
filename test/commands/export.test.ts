import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  await world.say(alice, 'create web --image debian')
})
afterAll(() => world[Symbol.asyncDispose]())

const read = async (bytes: AsyncIterable<Uint8Array>) => {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts).toString()
}

test('every byte of it arrives, and it is written down', async () => {
  const { reply, rows } = await world.tell(alice, 'export web')
  expect(reply.file).toMatchObject({ name: 'web.tar', type: 'application/x-tar' })
  expect(await read(reply.file!.bytes)).toBe(`tar of ${(await world.container(alice, 'web')).engineName},end`)
  expect(rows).toMatchObject([{ command: 'export', target: 'web', decision: 'done' }])
})

test('what the engine refuses is a refusal, not a broken file', async () => {
  world.host.fake.fail('engine.export', 'gone')
  expect(await world.say(alice, 'export web')).toMatchObject({ error: 'conflict' })
})

test('only so many at a time; one that is read or given up makes room', async () => {
  const [first, second] = [await world.say(alice, 'export web'), await world.say(alice, 'export web')]
  expect(await world.say(alice, 'export web')).toMatchObject({ error: 'limited' })
  await read(first.file!.bytes)
  const third = await world.say(alice, 'export web')
  expect(third.error).toBeUndefined()
  // A reader that goes away in the middle.
  for await (const _ of third.file!.bytes) break
  for await (const _ of second.file!.bytes) break
  const both = [await world.say(alice, 'export web'), await world.say(alice, 'export web')]
  expect(both.map((reply) => reply.error)).toEqual([undefined, undefined])
  for (const { file } of both) await read(file!.bytes)
})
