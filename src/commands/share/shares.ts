import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'
import { shareData } from './share.ts'

export const shares = defineCommand({
  name: 'shares',
  about: 'List what you share and what is shared with you.',
  examples: ['shares'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: {},
  gives: z.array(shareData),
  async run(_, context) {
    const all = await context.shares.list()
    const data = all.map((one) => ({
      container: one.container,
      owner: one.owner,
      member: one.guest,
      level: one.level,
      expires_at: one.expiresAt.toISOString(),
    }))
    if (all.length === 0) return info('You share nothing, and nothing is shared with you.', { data })
    return info(`${thereAre(all.length, 'share')}.`, {
      table: {
        head: ['CONTAINER', 'WITH', 'LEVEL', 'UNTIL'],
        rows: all.map((one) => [
          one.mine ? one.container : `${one.owner}/${one.container}`,
          one.mine ? one.guest : 'you',
          one.level,
          formatTime(one.expiresAt),
        ]),
      },
      data,
    })
  },
})
