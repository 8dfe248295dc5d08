import { describe, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { usage } from '../../../src/core/command/help.ts'
import { kinds } from '../../../src/core/command/kinds.ts'
import { parseLine, parseWords, reserved } from '../../../src/core/command/parse.ts'

/** One sentence: begins with a capital, ends with a full stop. */
const sentence = /^[A-Z].*\.$/

test('no two commands answer to the same words, and none to what HTTP keeps for itself', () => {
  const names = commands.flatMap((command) => [command.name, ...(command.aliases ?? [])])
  expect(names.toSorted()).toEqual([...new Set(names)].toSorted())
  for (const name of names) expect(name).toMatch(/^[a-z]+( -?[a-z]+)?$/)
  for (const { name } of commands) {
    expect(['line', 'hooks', 'operations', 'complete']).not.toContain(name.split(' ')[0])
  }
})

describe.each(commands.map((command) => [command.name, command] as const))('%s', (name, command) => {
  test('says what it does, and every argument what it is', () => {
    expect(command.about).toMatch(sentence)
    for (const [arg, { about }] of Object.entries(command.args)) expect(about, arg).toMatch(sentence)
  })

  test('has an example that parses, and each one is about it', () => {
    expect(command.examples?.length ?? 0).toBeGreaterThan(0)
    const [first] = command.examples!
    expect(parseLine(commands, first!).command.name).toBe(name)
    for (const example of command.examples!) expect(() => parseLine(commands, example), example).not.toThrow()
  })

  test('is found by its name and by each of its other spellings', () => {
    for (const spelling of [name, ...(command.aliases ?? [])])
      expect(parseWords(commands, spelling.split(' ')).command, spelling).toBe(command)
  })

  test('says what data it gives', () => expect(command.gives).toBeDefined())

  test('has arguments that do not hide one another', () => {
    const args = Object.entries(command.args)
    for (const [arg, { kind }] of args) {
      expect(Object.keys(reserved)).not.toContain(arg)
      expect(arg).toMatch(/^[a-z][a-z-]*$/)
      expect(Object.keys(kinds)).toContain(kind)
    }
    const letters = args.flatMap(([, { short }]) => short ?? [])
    expect(letters).toEqual([...new Set(letters)])
    // After one that takes all that follows, nothing else could be reached.
    const positional = args.filter(([, arg]) => !arg.flag && !arg.rest && arg.kind !== 'flag')
    for (const [arg, one] of positional.slice(0, -1)) expect(one.many ?? one.each, arg).toBeUndefined()
    expect(args.filter(([, arg]) => arg.each)).toHaveLength(args.some(([, arg]) => arg.each) ? 1 : 0)
  })

  test('never asks for a secret that it would record', () => {
    for (const [arg, { kind, secret }] of Object.entries(command.args)) {
      if (kind === 'env' || kind === 'document' || arg === 'key') expect(secret ?? kind === 'text', arg).toBe(true)
    }
  })

  test('a question is asked only by what changes something', () => {
    if (command.confirms || command.preview) expect(command.changes).not.toBe(false)
    expect(usage(command).startsWith(name)).toBe(true)
  })
})
