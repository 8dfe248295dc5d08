import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const groupAdd = defineCommand({
  name: 'group add',
  about: 'Make a group: members who get a quota and grants together.',
  examples: ['group add lab'],
  needs: 'admin',
  changes: true,
  args: { name: { kind: 'group-name', about: 'What it is called.' } },
  gives: z.object({ name: z.string() }),
  async run({ name }, { groups }) {
    const group = await groups.add(name)
    return ok(`${group.name} is a group now; members come in with group join.`, {
      actions: [{ label: 'Show', line: `group show ${group.name}` }],
      data: { name: group.name },
    })
  },
})
