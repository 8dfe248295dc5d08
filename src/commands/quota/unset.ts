import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { resources } from '../../core/model/quota.ts'
import { ok } from '../../core/reply/reply.ts'

export const quotaUnset = defineCommand({
  name: 'quota unset',
  about: "Give a member the site's quota again.",
  examples: ['quota unset alice memory cpus'],
  needs: 'admin',
  changes: 'rights',
  args: {
    member: { kind: 'person', about: 'The member.' },
    resources: { kind: 'choice', of: resources, many: true, about: 'Which resources.' },
  },
  gives: z.object({ member: z.string(), unset: z.array(z.string()) }),
  async run({ member, resources: which }, { quota }) {
    const unset = [...new Set(which)]
    await quota.unset(member, unset)
    return ok(`${member.name} has the site's quota of ${unset.join(', ')} again.`, {
      data: { member: member.name, unset },
    })
  },
})
