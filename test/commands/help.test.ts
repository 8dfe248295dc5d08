import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseDuration, parseSize } from '../../src/core/model/units.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
beforeAll(async () => void (world = await createWorld()))
afterAll(() => world[Symbol.asyncDispose]())
const say = (line: string) => world.say(world.admin, line)

test('what every command takes is told in one place', async () => {
  expect(Object.keys((await say('help flags')).fields!)).toEqual([
    '--yes',
    '--dry-run',
    '--json',
    '--wait TIME',
    '--as MEMBER',
    '--post',
  ])
})

test('the units of sizes and times are those that are read', async () => {
  for (const size of Object.keys((await say('help SIZE')).fields!)) expect(parseSize(size), size).toBeDefined()
  const { fields, table } = await say('help time')
  for (const time of Object.keys(fields!)[0]!.split(', ')) expect(parseDuration(time), time).toBeDefined()
  // A topic of that name keeps its commands.
  expect(table!.rows.map(([name]) => name)).toContain('schedule')
})
