import { expect, test } from 'vitest'
import { helpAll, helpGroup, helpOne, usage } from '../../../src/core/command/help.ts'
import { commands } from './commands.ts'

test.each([
  ['create', 'create NAME --image IMAGE [-p [HOST:]PORT[/udp]...] [-e NAME=VALUE...] [-m SIZE] [-- COMMAND...]'],
  ['rm', 'rm CONTAINER... [-f] [-v]'],
  ['commit', 'commit CONTAINER NAME[:TAG] [-m MESSAGE]'],
  ['ps', 'ps'],
  ['key add', 'key add KEY'],
])('the usage of %s', (name, line) => {
  expect(usage(commands.find((command) => command.name === name)!)).toBe(line)
})

test('help lists what the caller may use', () => {
  const admins = { ...commands[0]!, name: 'secret', needs: 'admin' as const }
  expect(JSON.stringify(helpAll([...commands, admins], false))).not.toContain('secret')
  expect(JSON.stringify(helpAll([...commands, admins], true))).toContain('secret')
})

test('help of a command tells every argument', () => {
  const reply = helpOne(commands[0]!)
  expect(reply.table?.rows.map(([spelled]) => spelled)).toEqual([
    'NAME',
    '--image',
    '-p, --port',
    '-e, --env',
    '-m, --memory',
    '-- COMMAND...',
  ])
})

test('help of a noun tells its commands', () => {
  expect(helpGroup(commands, false, 'key')?.table?.rows.map(([name]) => name)).toEqual(['key add', 'key ls'])
})
