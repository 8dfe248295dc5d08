import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { helpAll, helpGroup, helpOne } from '../../core/command/help.ts'
import { helpNote } from '../../core/command/notes.ts'
import { DcmError } from '../../core/reply/error.ts'
import { findCommand } from '../../core/command/find.ts'

export const help = defineCommand({
  name: 'help',
  about: 'Show the commands, those of one topic, or all about one.',
  examples: ['help', 'help container', 'help create', 'help flags', 'help size'],
  needs: 'anyone',
  changes: false,
  args: { command: { kind: 'command', about: 'Command or topic to explain.', many: true, optional: true } },
  gives: z.unknown(),
  async run({ command }, { commands, caller }) {
    const admin = caller.person?.role === 'admin'
    if (command.length === 0) return helpAll(commands, admin)
    const words = command.flatMap((word) => word.split(/\s+/))
    const first = words[0]!.toLowerCase()
    const known = commands.some((one) => one.name === first || one.aliases?.includes(first))
    const group = words.length === 1 && !known ? helpGroup(commands, admin, first) : undefined
    const note = words.length === 1 && !known ? helpNote(first) : undefined
    if (note && group)
      return { ...group, text: `${note.text} ${group.text}`, ...(note.fields ? { fields: note.fields } : {}) }
    if (note ?? group) return (note ?? group)!
    try {
      return helpOne(findCommand(commands, words).command)
    } catch (error) {
      if (!(error instanceof DcmError) || !error.try || error.try.startsWith('help')) throw error
      throw new DcmError(error.code, error.message, { try: `help ${error.try}` })
    }
  },
})
