import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const sessionsKill = defineCommand({
  name: 'sessions kill',
  aliases: ['session kill', 'kick'],
  about: 'End an SSH connection: one of yours, or anybody’s (admins).',
  examples: ['sessions kill k3m9x7qw8pzt'],
  needs: 'member',
  changes: true,
  args: { id: { kind: 'id', about: 'Its id, as `sessions` shows it.', each: true } },
  gives: z.object({ id: z.string(), member: z.string() }),
  async run({ id }, { sessions }) {
    const ended = await sessions.end(id)
    return ok(`The connection ${ended.id} of ${ended.owner} is being closed.`, {
      data: { id: ended.id, member: ended.owner },
    })
  },
})
