import { z } from 'zod'
import { thereAre } from '../../core/model/count.ts'
import { defineCommand } from '../../core/command/define.ts'
import { info } from '../../core/reply/reply.ts'

export const deviceLs = defineCommand({
  name: 'device ls',
  aliases: ['devices', 'device list'],
  about: 'List the devices that can be granted.',
  examples: ['device ls'],
  needs: 'admin',
  changes: false,
  args: {},
  gives: z.array(z.object({ name: z.string(), path: z.string(), about: z.string() })),
  async run(_args, { site }) {
    const data = (await site.devices()).map(({ name, path, about }) => ({ name, path, about }))
    if (data.length === 0) return info('No device has been named yet; name one with device add NAME PATH.', { data })
    return info(`${thereAre(data.length, 'device')}.`, {
      table: { head: ['NAME', 'PATH', 'ABOUT'], rows: data.map(({ name, path, about }) => [name, path, about]) },
      data,
    })
  },
})
