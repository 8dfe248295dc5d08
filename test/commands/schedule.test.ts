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
const say = (line: string) => world.say(alice, line)

test.each([
  ['schedule web run @daily -- date', '0 0 * * *'],
  ['schedule web stop @Weekly', '0 0 * * 0'],
  ['schedule add web start 0 8 * * mon', '0 8 * * mon'],
])('%s is taken', async (line, cron) => {
  expect(await say(line)).toMatchObject({ tone: 'ok', data: { container: 'web', cron } })
})

test('a word that is no time table is told those that are', async () => {
  expect(await say('schedule web start @reboot')).toMatchObject({
    error: 'usage',
    text: expect.stringContaining('@hourly, @daily') as string,
  })
})

test('without anything it says what lists those that there are', async () => {
  expect(await say('schedule')).toMatchObject({
    error: 'usage',
    text: expect.stringMatching(/^schedule needs .* schedule ls\.$/) as string,
    actions: [{ line: 'schedule ls' }],
  })
  expect((await say('schedule web')).text).not.toContain('schedule ls')
})
