import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const userSuspend = defineCommand({
  name: 'user suspend',
  about: 'Refuse a member everything, until user resume; their containers go on.',
  examples: ['user suspend bob'],
  needs: 'admin',
  changes: true,
  args: { member: { kind: 'person', about: 'The member.' } },
  gives: z.object({ name: z.string(), state: z.string() }),
  async run({ member }, { people }) {
    const { name, state } = await people.setState(member, 'suspended')
    return ok(
      `Suspended ${name}: commands, tokens and keys are refused until user resume ${name}; their containers go on running.`,
      {
        actions: [{ label: 'Resume', line: `user resume ${name}` }],
        data: { name, state },
      },
    )
  },
})
