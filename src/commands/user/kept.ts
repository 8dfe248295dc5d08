import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { formatSize } from '../../core/model/units.ts'
import { info } from '../../core/reply/reply.ts'

export const userKept = defineCommand({
  name: 'user kept',
  about: 'List the storages that members who are gone have left.',
  examples: ['user kept'],
  needs: 'admin',
  changes: false,
  records: true,
  private: true,
  args: {},
  gives: z.array(
    z.object({
      id: z.string(),
      name: z.string().nullable().describe('What their owner was called; null when that is not known.'),
      size: z.number().int().describe('Bytes.'),
      since: z.string().nullable(),
    }),
  ),
  async run(_, { kept }) {
    const all = await kept.list()
    const data = all.map((one) => ({ ...one, since: one.since?.toISOString() ?? null }))
    if (all.length === 0) return info('No storage of a member who is gone is kept.', { data })
    return info(`${thereAre(all.length, 'storage')} of members who are gone; user discard removes one.`, {
      table: {
        head: ['NAME', 'ID', 'SIZE', 'SINCE'],
        rows: all.map(({ name, id, size, since }) => [
          name ?? '-',
          id,
          formatSize(size),
          since ? formatTime(since) : '-',
        ]),
      },
      data,
    })
  },
})
