import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatAmount, plainAmount, type Quota, resources } from '../../core/model/quota.ts'
import { info, ok } from '../../core/reply/reply.ts'

export const quotaSite = defineCommand({
  name: 'quota site',
  about: 'Show or change the quota that every member has until told otherwise.',
  examples: ['quota site', 'quota site containers=5 memory=2g'],
  needs: 'admin',
  changes: 'rights',
  args: {
    amounts: {
      kind: 'amount',
      many: true,
      optional: true,
      about: 'RESOURCE=AMOUNT to change; shows them when absent.',
    },
  },
  gives: z.record(z.enum(resources), z.number()),
  async run({ amounts }, { quota }) {
    const changes: Partial<Quota> = Object.fromEntries(amounts.map(({ resource, amount }) => [resource, amount]))
    if (amounts.length > 0) await quota.setSite(changes)
    const site = await quota.site()
    const extras = {
      table: {
        head: ['RESOURCE', 'LIMIT'],
        rows: resources.map((resource) => [resource, formatAmount(resource, site[resource])]),
      },
      data: Object.fromEntries(resources.map((resource) => [resource, plainAmount(resource, site[resource])])),
    }
    if (amounts.length === 0) return info('This is what a member may use until told otherwise.', extras)
    return ok('Changed what a member may use until told otherwise; what runs already goes on.', extras)
  },
})
