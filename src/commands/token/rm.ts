import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const tokenRm = defineCommand({
  name: 'token rm',
  aliases: ['token remove', 'token revoke', 'token del'],
  about: 'Remove an API token: it is refused from now on.',
  examples: ['token rm ci'],
  needs: 'member',
  changes: 'rights',
  args: { token: { kind: 'text', about: 'Its label or id, as token ls shows them.' } },
  gives: z.object({ id: z.string(), label: z.string() }),
  async run({ token: which }, { caller, tokens }) {
    const { id, label } = await tokens.remove(caller.person.id, which)
    return ok(`Removed the token ${label}; it is refused from now on.`, { data: { id, label } })
  },
})
