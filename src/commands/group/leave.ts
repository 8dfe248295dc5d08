import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const groupLeave = defineCommand({
  name: 'group leave',
  about: 'Take members out of a group; what they run goes on.',
  examples: ['group leave lab alice bob'],
  needs: 'admin',
  changes: 'rights',
  args: {
    group: { kind: 'group', about: 'The group.' },
    member: { kind: 'person', about: 'Who.', each: true },
  },
  gives: z.object({ group: z.string(), member: z.string() }),
  async run({ group, member }, { groups }) {
    await groups.leave(group, member)
    return ok(`${member.name} is no longer in ${group.name}.`, { data: { group: group.name, member: member.name } })
  },
})
