import { z } from 'zod'
import { thereAre } from '../../core/model/count.ts'
import { defineCommand } from '../../core/command/define.ts'
import { info } from '../../core/reply/reply.ts'
import { quotaData, quotaWords } from './quota.ts'

export const groupLs = defineCommand({
  name: 'group ls',
  aliases: ['groups'],
  about: 'List the groups.',
  examples: ['group ls'],
  needs: 'admin',
  changes: false,
  args: {},
  gives: z.array(z.object({ name: z.string(), members: z.number(), quota: z.record(z.string(), z.number()) })),
  async run(_args, { groups }) {
    const all = await groups.list()
    const data = all.map(({ name, members, quota }) => ({ name, members, quota: quotaData(quota) }))
    if (all.length === 0) return info('There are no groups; make one with group add.', { data })
    return info(`${thereAre(all.length, 'group')}.`, {
      table: {
        head: ['NAME', 'MEMBERS', 'QUOTA'],
        rows: all.map(({ name, members, quota }) => [name, String(members), quotaWords(quota)]),
      },
      data,
    })
  },
})
