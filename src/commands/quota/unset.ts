import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatAmount, resources } from '../../core/model/quota.ts'
import { ok } from '../../core/reply/reply.ts'

export const quotaUnset = defineCommand({
  name: 'quota unset',
  about: 'Take a quota of their own from a member; that of their groups, or the site, holds again.',
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
    const now = (await quota.of(member)).filter(({ resource }) => unset.includes(resource))
    const data = { member: member.name, unset }
    if (now.every(({ from }) => from === 'site'))
      return ok(`${member.name} has the site's quota of ${unset.join(', ')} again.`, { data })
    const holds = now.map(
      ({ resource, limit, from, group }) =>
        `${resource}=${formatAmount(resource, limit)} (${group ? `group ${group}` : from})`,
    )
    return ok(`What ${member.name} had of their own is taken; what holds is ${holds.join(', ')}.`, { data })
  },
})
