import { z } from 'zod'
import { thereAre } from '../../core/model/count.ts'
import { defineCommand } from '../../core/command/define.ts'
import { info } from '../../core/reply/reply.ts'

export const seccompLs = defineCommand({
  name: 'seccomp ls',
  aliases: ['seccomp list'],
  about: 'List the seccomp profiles that can be granted.',
  examples: ['seccomp ls'],
  needs: 'admin',
  changes: false,
  args: {},
  gives: z.array(z.object({ name: z.string(), about: z.string() })),
  async run(_args, { site }) {
    const data = await site.seccomps()
    if (data.length === 0)
      return info('No seccomp profile has been named yet; everyone has the one of Docker.', { data })
    return info(`${thereAre(data.length, 'seccomp profile')}.`, {
      table: { head: ['NAME', 'ABOUT'], rows: data.map(({ name, about }) => [name, about]) },
      data,
    })
  },
})
