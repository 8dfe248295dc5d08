import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const registryLs = defineCommand({
  name: 'registry ls',
  about: 'List the registries that admins allow, and where you are logged in.',
  examples: ['registry ls'],
  needs: 'member',
  changes: false,
  private: true,
  args: {},
  gives: z.array(
    z.object({
      registry: z.string(),
      allowed_by: z.string(),
      user: z.string().nullable(),
      since: z.string().nullable(),
    }),
  ),
  async run(_, { registries }) {
    const all = await registries.list()
    const data = all.map(({ host, addedBy, username, since }) => ({
      ...{ registry: host, allowed_by: addedBy, user: username, since: since?.toISOString() ?? null },
    }))
    if (all.length === 0) return info('No registry is allowed yet; an admin does that with registry allow.', { data })
    return info(`You can pull from and push to ${count(all.length, 'registry', 'registries')}.`, {
      table: {
        head: ['REGISTRY', 'LOGGED IN AS', 'SINCE'],
        rows: all.map(({ host, username, since }) => [host, username ?? '', since ? formatTime(since) : '']),
      },
      data,
    })
  },
})
