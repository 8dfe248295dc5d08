import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const volumeLs = defineCommand({
  name: 'volume ls',
  about: 'List your volumes and what mounts them.',
  examples: ['volume ls'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: {},
  gives: z.array(z.object({ id: z.string(), name: z.string(), used_by: z.array(z.string()), created_at: z.string() })),
  async run(_, { volumes }) {
    const all = await volumes.list()
    const data = all.map(({ id, name, users, createdAt }) => ({
      ...{ id, name, used_by: users },
      created_at: createdAt.toISOString(),
    }))
    if (all.length === 0) return info('You have no volumes; make one with volume create.', { data })
    return info(`You have ${count(all.length, 'volume')}.`, {
      table: {
        head: ['NAME', 'MOUNTED BY', 'MADE'],
        rows: all.map((one) => [one.name, one.users.join(', ') || '-', formatTime(one.createdAt)]),
      },
      data,
    })
  },
})
