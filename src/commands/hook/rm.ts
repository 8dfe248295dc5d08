import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'
import { hookArg } from './data.ts'

export const hookRm = defineCommand({
  name: 'hook rm',
  aliases: ['hook remove', 'hook delete'],
  about: 'Remove a webhook: what is sent to it is refused from now on.',
  examples: ['hook rm deploy'],
  needs: 'member',
  changes: 'rights',
  args: { hook: hookArg },
  gives: z.object({ id: z.string(), name: z.string() }),
  async run({ hook: which }, { caller, hooks }) {
    const { id, name } = await hooks.remove(caller.person.id, which)
    return ok(`Removed the hook ${name}; what is sent to it is refused from now on.`, { data: { id, name } })
  },
})
