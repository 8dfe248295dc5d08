import { expect, test } from 'vitest'
import { commands } from '../../src/commands/index.ts'
import { findCommand } from '../../src/core/command/find.ts'
import { splitWords } from '../../src/core/command/words.ts'
import { verbs } from '../e2e/support/verbs.ts'

test('every verb is said by a real client to the real engine, in test/e2e/verbs.test.ts', () => {
  const walked = new Set(verbs.map(({ line }) => findCommand(commands, splitWords(line)).command.name))
  expect(commands.map((command) => command.name).filter((name) => !walked.has(name))).toEqual([])
})

test('each way in is among them, many times', () => {
  for (const way of ['http', 'dcm', 'ssh', 'slack', 'discord'])
    expect(verbs.filter((verb) => verb.way === way).length, way).toBeGreaterThan(10)
})
