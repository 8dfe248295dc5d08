import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
})
afterAll(() => world[Symbol.asyncDispose]())
afterEach(async () => {
  for (const { name } of await world.store.containers.of(alice.id)) await world.say(alice, `rm -f ${name}`)
})

const file = `
name: shop
services:
  db: { image: debian, secrets: [word, { source: word, target: other }] }
  web: { image: debian }
secrets: { word: { environment: WORD } }
`
const external = file
  .replace('{ environment: WORD }', '{ external: true }')
  .replace(', { source: word, target: other }', '')
const up = (text: string, ...env: string[]) => world.say(alice, { name: 'compose up', args: { file: text, env } })
const done = (reply: { data?: unknown }) =>
  (reply.data as { services: { service: string; done: string }[] }).services.map((one) => `${one.service} ${one.done}`)
const files = async (name: string) => world.host.fake.run((await world.container(alice, name)).id)!.secrets

test('a value that comes with the call is a file before the command begins, and nowhere else', async () => {
  const go = world.host.fake.hold('engine.start')
  const coming = up(file, 'WORD=hunter2')
  await expect.poll(() => world.host.fake.calls.at(-1)?.method).toBe('engine.start')
  expect(await files('shop-db')).toEqual({ word: 'hunter2', other: 'hunter2' })
  go()
  const reply = await coming
  expect(reply.error, reply.text).toBeUndefined()
  expect(await files('shop-web')).toEqual({})
  for (const table of ['operations', 'audit', 'containers', 'secrets'])
    expect(JSON.stringify(await world.rows(`select * from ${table}`)), table).not.toContain('hunter2')
  const wishes = world.host.fake.calls.filter(({ method }) => method === 'engine.create')
  expect(JSON.stringify([wishes, reply])).not.toContain('hunter2')
  expect((await world.say(alice, 'secret ls shop-db')).data).toMatchObject([{ name: 'other' }, { name: 'word' }])
})

test('another value is there at once, and nothing is made anew for it', async () => {
  await up(file, 'WORD=one')
  expect(done(await up(file, 'WORD=two'))).toEqual(['db as it was', 'web as it was'])
  expect(await files('shop-db')).toEqual({ word: 'two', other: 'two' })
  expect(
    done(await up(file.replace('image: debian, secrets', 'image: debian, mem_limit: 64m, secrets'), 'WORD=three')),
  ).toEqual(['db other limits', 'web as it was'])
  expect(await files('shop-db')).toEqual({ word: 'three', other: 'three' })
})

test('one that is external is what secret set gave the container, and is refused until then', async () => {
  expect((await up(external)).table?.rows).toEqual([
    [
      '4:34',
      'services.db.secrets',
      'shop-db has no secret word yet: write environment: NAME in the place of external, with -e NAME=VALUE.',
    ],
  ])
  await up(external.replace(', secrets: [word]', ''))
  expect((await up(external)).table?.rows[0]![2]).toMatch(/-e NAME=VALUE, or give it with secret set\.$/)
  await world.say(alice, { name: 'secret set', args: { container: 'shop-db', name: 'word', value: 'mine' } })
  expect(done(await up(external))).toEqual(['db as it was', 'web as it was'])
  expect(await files('shop-db')).toEqual({ word: 'mine' })
})

test('a value that is missing is told with its line, and what does not fit is none of it', async () => {
  expect((await up(file)).table?.rows).toEqual([
    ['6:12', 'secrets.word.environment', 'The variable WORD has no value; give it one with -e WORD=VALUE.'],
  ])
  await up(file, 'WORD=x')
  for (let at = 0; at < 62; at++)
    await world.say(alice, { name: 'secret set', args: { container: 'shop-db', name: `N${at}`, value: 'x' } })
  const more = file.replace('target: other }', 'target: other }, { source: word, target: more }')
  expect(await up(more, 'WORD=y')).toMatchObject({ error: 'limited' })
  expect((await files('shop-db'))!['word']).toBe('x')
})
