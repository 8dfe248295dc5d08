import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const userResume = defineCommand({
  name: 'user resume',
  about: 'Let a suspended member in again.',
  examples: ['user resume bob'],
  needs: 'admin',
  changes: 'rights',
  args: { member: { kind: 'person', about: 'The member.' } },
  gives: z.object({ name: z.string(), state: z.string() }),
  async run({ member }, { people }) {
    const { name, state } = await people.setState(member, 'active')
    return ok(`${name} may use DCM again, with the keys, tokens and grants they had.`, { data: { name, state } })
  },
})
