import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

const day = 86_400_000

export const events = defineCommand({
  name: 'events',
  about: 'Show what happened to your containers, newest first.',
  examples: ['events', 'events web --since 2h'],
  needs: 'look',
  changes: false,
  private: true,
  args: {
    container: { kind: 'container', about: 'Only what happened to this one.', optional: true },
    since: { kind: 'when', about: 'Only since then; a day when absent.', flag: true, optional: true },
    limit: { kind: 'count', about: 'How many at most, up to 1000.', flag: true, default: 50 },
  },
  gives: z.array(
    z.object({
      at: z.string(),
      by: z.string().nullable().describe('Who did it; null: DCM, or the container by itself.'),
      what: z.string(),
      target: z.string().nullable(),
      ended: z.enum(['done', 'failed']),
      detail: z.string().nullable(),
    }),
  ),
  async run({ container, since, limit }, { watch, now }) {
    const from = since ?? new Date(now.getTime() - day)
    const found = await watch.happenings({ container, since: from, limit: Math.min(Math.max(limit, 1), 1000) })
    const data = found.map((one) => ({ ...one, at: one.at.toISOString() }))
    const whose = container ? `to ${container.name}` : 'to what is yours'
    if (found.length === 0) return info(`Nothing happened ${whose} since ${formatTime(from)}.`, { data })
    return info(`This happened ${whose}, newest first.`, {
      table: {
        head: ['TIME', 'WHO', 'WHAT', 'TARGET', 'HOW'],
        rows: found.map((one) => [
          formatTime(one.at),
          one.by ?? '-',
          one.what,
          one.target ?? '',
          one.detail ?? one.ended,
        ]),
      },
      data,
    })
  },
})
