import { z } from 'zod'
import { defineCommand } from '../core/command/define.ts'
import { helpAll, helpGroup, helpOne } from '../core/command/help.ts'
import { findCommand } from '../core/command/parse.ts'

export const help = defineCommand({
  name: 'help',
  about: 'Show the commands, or all about one.',
  examples: ['help', 'help create'],
  needs: 'anyone',
  changes: false,
  args: { command: { kind: 'command', about: 'Command to explain.', many: true, optional: true } },
  gives: z.unknown(),
  async run({ command }, { commands, caller }) {
    if (command.length === 0) return helpAll(commands, caller.person?.role === 'admin')
    const words = command.flatMap((word) => word.split(/\s+/))
    const noun = words[0]!.toLowerCase()
    const known = commands.some((one) => one.name === noun || one.aliases?.includes(noun))
    if (words.length === 1 && !known && commands.some((one) => one.name.startsWith(`${noun} `)))
      return helpGroup(commands, noun)
    return helpOne(commands, findCommand(commands, words).command)
  },
})
