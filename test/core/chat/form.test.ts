import { expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { readForm } from '../../../src/core/chat/form.ts'
import { required, right } from '../door/values.ts'

const asText = (value: unknown): string | boolean =>
  Array.isArray(value) ? value.join('\n') : typeof value === 'boolean' ? value : String(value)

test.each(commands.map((command) => [command.name, command] as const))(
  'what is right for %s is right in its form',
  async (name, command) => {
    const needed = Object.entries(required(command)).map(([key, value]) => [key, asText(value)])
    const others = Object.entries(command.args)
      .filter(([, arg]) => !arg.rest)
      .map(([key, arg]) => [key, arg.of?.[0] ?? right[arg.kind]])
    const values = Object.fromEntries([...others, ...needed]) as Record<string, string | boolean>
    expect((await readForm(commands, name, values)).wrong).toEqual({})
  },
)

test('what is not right is told of its field, without asking anything', async () => {
  const { wrong } = await readForm(commands, 'create', { name: 'No Name', image: 'debian', memory: 'much' })
  expect(Object.keys(wrong)).toEqual(['name', 'memory'])
})
