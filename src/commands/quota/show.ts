import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatAmount, plainAmount, resources } from '../../core/model/quota.ts'
import { info } from '../../core/reply/reply.ts'

export const quotaShow = defineCommand({
  name: 'quota show',
  aliases: ['quota ls'],
  about: 'Show what you use and what you may use.',
  examples: ['quota show'],
  needs: 'member',
  changes: false,
  args: { member: { kind: 'person', optional: true, about: 'Whose quota (admins); yours when absent.' } },
  gives: z.object({
    member: z.string(),
    quota: z.record(
      z.enum(resources),
      z.object({
        used: z.number().describe('Bytes for memory and disk, else a count.'),
        limit: z.number(),
        from: z.enum(['site', 'group', 'member', 'grant']),
        group: z.string().nullable().describe('The group that the limit comes from.'),
      }),
    ),
  }),
  async run({ member }, { caller, quota }) {
    const whose = member ?? caller.person
    const all = await quota.of(whose)
    return info(
      whose.id === caller.person.id
        ? 'This is what you use and may use.'
        : `This is what ${whose.name} uses and may use.`,
      {
        table: {
          head: ['RESOURCE', 'USED', 'LIMIT', 'FROM'],
          rows: all.map(({ resource, used, limit, from, group }) => [
            resource,
            formatAmount(resource, used),
            formatAmount(resource, limit),
            group ? `group ${group}` : from,
          ]),
        },
        data: {
          member: whose.name,
          quota: Object.fromEntries(
            all.map(({ resource, used, limit, from, group = null }) => [
              resource,
              { used: plainAmount(resource, used), limit: plainAmount(resource, limit), from, group },
            ]),
          ),
        },
      },
    )
  },
})
