import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const userLs = defineCommand({
  name: 'user ls',
  aliases: ['users', 'user list'],
  about: 'List the members.',
  examples: ['user ls'],
  needs: 'admin',
  changes: false,
  records: true,
  private: true,
  args: {},
  gives: z.array(
    z.object({
      name: z.string(),
      role: z.enum(['member', 'admin']),
      state: z.enum(['active', 'suspended', 'leaving']),
      containers: z.number().int(),
      keys: z.number().int(),
      created_at: z.string(),
    }),
  ),
  async run(_args, { people }) {
    const all = await people.list()
    return info(`${thereAre(all.length, 'member')}.`, {
      table: {
        head: ['NAME', 'ROLE', 'STATE', 'CONTAINERS', 'KEYS', 'SINCE'],
        rows: all.map((one) => [
          one.name,
          one.role,
          one.state,
          String(one.containers),
          String(one.keys),
          formatTime(one.createdAt),
        ]),
      },
      data: all.map(({ name, role, state, containers, keys, createdAt }) => ({
        name,
        role,
        state,
        containers,
        keys,
        created_at: createdAt.toISOString(),
      })),
    })
  },
})
