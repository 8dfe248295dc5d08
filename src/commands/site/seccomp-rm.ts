import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const seccompRm = defineCommand({
  name: 'seccomp rm',
  aliases: ['seccomp remove'],
  about: 'Forget a seccomp profile, and revoke it from everyone who was granted it.',
  examples: ['seccomp rm tracing'],
  needs: 'admin',
  changes: 'rights',
  args: { name: { kind: 'text', about: 'What it is called.' } },
  gives: z.object({ name: z.string() }),
  confirms: ({ name }) => `Forget the seccomp profile ${name} and revoke it from everyone who was granted it?`,
  async run({ name }, { site }) {
    if (!(await site.removeSeccomp(name)))
      throw new DcmError('not_found', 'There is no seccomp profile of that name; seccomp ls shows them.', {
        try: 'seccomp ls',
      })
    return ok(`Forgot the seccomp profile ${name}; nobody is granted it any more.`, { data: { name } })
  },
})
