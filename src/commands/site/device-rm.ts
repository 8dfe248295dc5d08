import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const deviceRm = defineCommand({
  name: 'device rm',
  aliases: ['device remove'],
  about: 'Forget a device, and revoke it from everyone who was granted it.',
  examples: ['device rm gpu'],
  needs: 'admin',
  changes: 'rights',
  args: { name: { kind: 'text', about: 'What it is called.' } },
  gives: z.object({ name: z.string() }),
  confirms: ({ name }) => `Forget the device ${name} and revoke it from everyone who was granted it?`,
  async run({ name }, { site }) {
    if (!(await site.removeDevice(name)))
      throw new DcmError('not_found', 'There is no device of that name; device ls shows them.', { try: 'device ls' })
    return ok(
      `Forgot the device ${name}; nobody is granted it any more, and containers that have it keep it until they are removed.`,
      { data: { name } },
    )
  },
})
