import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatAmount, plainAmount, type Quota, type Resource, resources } from '../../core/model/quota.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

const amounts = (quota: Partial<Quota>) => Object.entries(quota) as [Resource, number][]

/** A group's quota for machines: bytes, CPUs or counts by resource. */
export const quotaData = (quota: Partial<Quota>) =>
  Object.fromEntries(amounts(quota).map(([resource, amount]) => [resource, plainAmount(resource, amount)]))

/** The same for people. */
export const quotaWords = (quota: Partial<Quota>): string =>
  amounts(quota)
    .map(([resource, amount]) => `${resource}=${formatAmount(resource, amount)}`)
    .join(', ') || "the site's"

export const groupQuota = defineCommand({
  name: 'group quota',
  about: "Set what each member of a group may use, instead of the site's quota.",
  examples: ['group quota lab memory=8g cpus=4', 'group quota lab --unset cpus'],
  needs: 'admin',
  changes: 'rights',
  args: {
    group: { kind: 'group', about: 'The group.' },
    amounts: { kind: 'amount', many: true, optional: true, about: 'RESOURCE=AMOUNT, several if wanted.' },
    unset: {
      kind: 'choice',
      of: resources,
      flag: true,
      many: true,
      optional: true,
      about: 'Leave it to the site again.',
    },
  },
  gives: z.object({ name: z.string(), quota: z.record(z.string(), z.number()) }),
  async run({ group, amounts: wished, unset }, { groups }) {
    if (wished.length === 0 && unset.length === 0)
      throw new DcmError('usage', 'Say what the quota is, like memory=8g, or what to leave to the site with --unset.', {
        try: 'help group quota',
      })
    let now = group
    if (wished.length > 0)
      now = await groups.set(now, Object.fromEntries(wished.map(({ resource, amount }) => [resource, amount])))
    if (unset.length > 0) now = await groups.unset(now, unset)
    return ok(`Each member of ${now.name} may use: ${quotaWords(now.quota)}.`, {
      data: { name: now.name, quota: quotaData(now.quota) },
    })
  },
})
