import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const groupJoin = defineCommand({
  name: 'group join',
  about: 'Let members into a group.',
  examples: ['group join lab alice bob'],
  needs: 'admin',
  changes: 'rights',
  args: {
    group: { kind: 'group', about: 'The group.' },
    member: { kind: 'person', about: 'Who.', each: true },
  },
  gives: z.object({ group: z.string(), member: z.string() }),
  async run({ group, member }, { groups }) {
    await groups.join(group, member)
    return ok(`${member.name} is in ${group.name}.`, { data: { group: group.name, member: member.name } })
  },
})
