import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatAmount, plainAmount, type Quota } from '../../core/model/quota.ts'
import { ok, warn } from '../../core/reply/reply.ts'

export const quotaSet = defineCommand({
  name: 'quota set',
  about: "Give a member a quota of their own instead of the site's.",
  examples: ['quota set alice memory=8g cpus=4', 'quota set bob containers=20'],
  needs: 'admin',
  changes: 'rights',
  args: {
    member: { kind: 'person', about: 'The member.' },
    amounts: { kind: 'amount', many: true, about: 'RESOURCE=AMOUNT, several if wanted.' },
  },
  gives: z.object({ member: z.string(), quota: z.record(z.string(), z.number()) }),
  async run({ member, amounts }, { quota }) {
    const changes: Partial<Quota> = Object.fromEntries(amounts.map(({ resource, amount }) => [resource, amount]))
    await quota.set(member, changes)
    const said = Object.entries(changes).map(
      ([resource, amount]) => `${resource}=${formatAmount(resource as keyof Quota, amount)}`,
    )
    const over = (await quota.of(member)).filter(({ resource, used, limit }) => resource in changes && used > limit)
    const data = {
      member: member.name,
      quota: Object.fromEntries(
        Object.entries(changes).map(([resource, amount]) => [resource, plainAmount(resource as keyof Quota, amount)]),
      ),
    }
    if (over.length === 0) return ok(`The quota of ${member.name} is now ${said.join(', ')}.`, { data })
    const more = over.map(({ resource, used }) => `${formatAmount(resource, used)} of ${resource}`).join(', ')
    return warn(
      `The quota of ${member.name} is now ${said.join(', ')}; they use ${more} already and keep it, but get no more.`,
      { data },
    )
  },
})
