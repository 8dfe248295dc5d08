import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { formatDuration } from '../../core/model/units.ts'
import { info } from '../../core/reply/reply.ts'

export const sessions = defineCommand({
  name: 'sessions',
  aliases: ['session ls', 'who'],
  about: 'List SSH connections: your own, or everybody’s with --all (admins).',
  examples: ['sessions', 'sessions --all'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: { all: { kind: 'flag', about: 'Everybody’s (admins).' } },
  gives: z.array(
    z.object({
      id: z.string(),
      member: z.string(),
      address: z.string(),
      fingerprint: z.string(),
      doing: z.string(),
      started_at: z.string(),
    }),
  ),
  async run({ all }, { sessions: list, now }) {
    const found = await list.list(all)
    if (found.length === 0)
      return info(all ? 'Nobody is connected over SSH.' : 'You have no SSH connection open.', { data: [] })
    return info(`${thereAre(found.length, 'open SSH connection')}.`, {
      table: {
        head: ['ID', 'MEMBER', 'FROM', 'SINCE', 'DOING'],
        rows: found.map((one) => [
          one.id,
          one.owner,
          one.address,
          formatDuration(now.getTime() - one.startedAt.getTime()),
          one.doing,
        ]),
      },
      data: found.map((one) => ({
        id: one.id,
        member: one.owner,
        address: one.address,
        fingerprint: one.fingerprint,
        doing: one.doing,
        started_at: one.startedAt.toISOString(),
      })),
    })
  },
})
