import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { readTemplate } from '../../../src/core/hooks/line.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { createWorld, type World } from '../door/world.ts'

const tree = join(import.meta.dirname, '../../..')
const files = ['docs/ci.md', ...globSync('examples/ci/*', { cwd: tree })]
const said = files.flatMap((file) =>
  readFileSync(join(tree, file), 'utf8')
    .split('\n')
    .map((line) => [file, line.replace(/^#?\s*/, '')] as const),
)

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
})
afterAll(() => world[Symbol.asyncDispose]())

test.each(said.filter(([, line]) => line.startsWith('hook new ')))('%s: %s', async (_, line) => {
  const reply = await world.say(alice, line)
  expect(reply.error, reply.text).toBeUndefined()
  await world.sql('delete from hooks')
})

test('there are such lines in each', () => {
  expect(files.filter((file) => !said.some(([from, line]) => from === file && line.startsWith('hook new ')))).toEqual(
    [],
  )
})

const lines = readFileSync(join(tree, 'docs/ci.md'), 'utf8').matchAll(/^- `([^`]+)`/gm)
test.each([...lines].map((found) => found[1]!))('docs/ci.md: a hook may run %s', (line) => {
  expect(readTemplate(commands, line).command.changes).toBe(true)
})
