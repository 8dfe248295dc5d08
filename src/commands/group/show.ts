import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'
import { quotaData, quotaWords } from './quota.ts'

export const groupShow = defineCommand({
  name: 'group show',
  about: 'Show who is in a group, and what its members get.',
  examples: ['group show lab'],
  needs: 'admin',
  changes: false,
  args: { group: { kind: 'group', about: 'The group.' } },
  gives: z.object({
    name: z.string(),
    members: z.array(z.string()),
    quota: z.record(z.string(), z.number()),
    grants: z.array(z.object({ thing: z.string(), expires_at: z.string().nullable() })),
  }),
  async run({ group }, { groups }) {
    const { members, grants } = await groups.view(group)
    return info(`${group.name} has ${count(members.length, 'member')}.`, {
      fields: { members: members.join(', ') || 'none', quota: quotaWords(group.quota) },
      ...(grants.length > 0
        ? {
            table: {
              head: ['GRANTED', 'UNTIL', 'BY'],
              rows: grants.map((one) => [
                one.thing,
                one.expiresAt ? formatTime(one.expiresAt) : 'revoked',
                one.grantedBy,
              ]),
            },
          }
        : {}),
      data: {
        name: group.name,
        members,
        quota: quotaData(group.quota),
        grants: grants.map((one) => ({ thing: one.thing, expires_at: one.expiresAt?.toISOString() ?? null })),
      },
    })
  },
})
