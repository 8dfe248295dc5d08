import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const groupRm = defineCommand({
  name: 'group rm',
  about: 'Remove a group with its quota and grants; its members stay members of DCM.',
  examples: ['group rm lab'],
  needs: 'admin',
  changes: 'rights',
  args: { group: { kind: 'group', about: 'The group.' } },
  gives: z.object({ name: z.string() }),
  confirms: ({ group }) => `Remove the group ${group.name}, with the quota and the grants that its members have by it?`,
  async run({ group }, { groups }) {
    await groups.remove(group)
    return ok(`The group ${group.name} is removed; what its members run goes on.`, { data: { name: group.name } })
  },
})
