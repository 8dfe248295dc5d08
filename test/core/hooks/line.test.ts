import { describe, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { fill, readTemplate } from '../../../src/core/hooks/line.ts'

const read = (line: string) => readTemplate(commands, line)
const filled = (line: string, places: Parameters<typeof fill>[1]) => fill(read(line), places)

test('a line is split once, and values are put in where they were left open', () => {
  expect(read('restart web')).toMatchObject({ args: { container: ['web'] }, places: [] })
  expect(
    filled('commit web web:{sha} -m "from {ref} of {repository}"', {
      sha: 'abc',
      ref: 'refs/heads/main',
      repository: 'o/r',
    }),
  ).toMatchObject({
    container: 'web',
    message: 'from refs/heads/main of o/r',
  })
  expect(
    filled('create web --image {image} -e REF={ref} -- serve --ref={ref} {sha}', {
      image: 'web:v1',
      ref: 'main',
      sha: 's',
    }),
  ).toMatchObject({
    image: 'web:v1',
    env: ['REF=main'],
    command: ['serve', '--ref=main', 's'],
  })
})

test('whatever a value is, it stays the one value that it was put in for', () => {
  for (const hostile of [
    '--force',
    '-f',
    'a b',
    '"',
    "' --yes '",
    '-- sh',
    'web\nrm web',
    '{ref}',
    '$&',
    '$1',
    '--as admin',
    'x --yes',
  ])
    expect(filled('rename web {ref}', { ref: hostile, sha: 'never' })).toEqual({ container: 'web', name: hostile })
})

test('a place is no part of a command or a flag', () => {
  for (const line of ['{ref} web', 'user {ref}', 'restart web --{ref}', 'restart web --{ref}=1'])
    expect(() => read(line), line).toThrow()
})

test('what is not said is not made up', () => {
  expect(() => filled('restart {repository}', { ref: 'main' })).toThrow('This delivery says no repository')
})

test('braces that name nothing are refused, but for what runs inside', () => {
  expect(() => read('restart {container}')).toThrow(/cannot fill \{container\}/)
  expect(filled("create web --image debian -- awk '{print}' {sha}", { sha: 's' })).toMatchObject({
    command: ['awk', '{print}', 's'],
  })
})

describe('a line that could never run is refused when it is given', () => {
  test.each([
    ['', 'Type a command'],
    ['restrat web', 'did you mean restart'],
    ['restart', 'does not say CONTAINER'],
    ['create web', 'does not say --image'],
    ['restart web --nope', 'has no --nope'],
    ['restart "web', 'not closed'],
    ['restart web --as alice', 'may not have --as'],
    ['help', 'a command that does something'],
    ['restart --help', 'a command that does something'],
  ])('%s', (line, words) => {
    expect(() => read(line)).toThrow(words)
  })
})

test('the reserved words stay with the line', () => {
  expect(read('rm web --yes').args).toMatchObject({ yes: true })
})
