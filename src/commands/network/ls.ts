import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const networkLs = defineCommand({
  name: 'network ls',
  about: 'List your networks, beside the main one, and what is on them.',
  examples: ['network ls'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: {},
  gives: z.array(
    z.object({ id: z.string(), name: z.string(), containers: z.array(z.string()), created_at: z.string() }),
  ),
  async run(_, { networks }) {
    const all = await networks.list()
    const data = all.map(({ id, name, members, createdAt }) => ({
      ...{ id, name, containers: members },
      created_at: createdAt.toISOString(),
    }))
    if (all.length === 0)
      return info('You have only your main network, which containers are on by themselves.', { data })
    return info(`You have ${count(all.length, 'network')} beside your main one.`, {
      table: {
        head: ['NAME', 'CONTAINERS', 'MADE'],
        rows: all.map((one) => [one.name, one.members.join(', ') || '-', formatTime(one.createdAt)]),
      },
      data,
    })
  },
})
