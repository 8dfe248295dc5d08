import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const grants = defineCommand({
  name: 'grants',
  aliases: ['grant ls', 'grant list'],
  about: 'List what the admins have permitted you.',
  examples: ['grants'],
  needs: 'member',
  changes: false,
  args: { member: { kind: 'person', optional: true, about: 'Whose grants (admins); yours when absent.' } },
  gives: z.array(
    z.object({
      thing: z.string(),
      expires_at: z.string().nullable(),
      granted_by: z.string(),
      created_at: z.string(),
      group: z.string().nullable(),
    }),
  ),
  async run({ member }, { caller, grants: granted }) {
    const whose = member ?? caller.person
    const has = whose.id === caller.person.id ? 'You have' : `${whose.name} has`
    const all = await granted.list(whose)
    const data = all.map((one) => ({
      thing: one.thing,
      expires_at: one.expiresAt?.toISOString() ?? null,
      granted_by: one.grantedBy,
      created_at: one.createdAt.toISOString(),
      group: one.group,
    }))
    if (all.length === 0) return info(`${has} no grants.`, { data })
    return info(`${has} ${count(all.length, 'grant')}.`, {
      table: {
        head: ['THING', 'UNTIL', 'BY', 'THROUGH'],
        rows: all.map((one) => [
          one.thing,
          one.expiresAt ? formatTime(one.expiresAt) : 'it is revoked',
          one.grantedBy,
          one.group ? `group ${one.group}` : '',
        ]),
      },
      data,
    })
  },
})
