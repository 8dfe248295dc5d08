import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatCpus, formatDuration, formatSize } from '../../core/model/units.ts'
import { info, ok } from '../../core/reply/reply.ts'

export const capacity = defineCommand({
  name: 'capacity',
  about: 'Show what the host has and has given out, or set how much memory it keeps for itself.',
  examples: ['capacity', 'capacity --reserve 2g'],
  needs: 'admin',
  changes: true,
  private: true,
  args: { reserve: { kind: 'size', flag: true, optional: true, about: 'Memory that is never given to containers.' } },
  gives: z.array(
    z.object({
      host: z.string(),
      reachable: z.boolean(),
      seen_at: z.string().nullable(),
      memory: z
        .object({ total: z.number().int(), reserve: z.number().int(), admitted: z.number().int() })
        .describe('Bytes.'),
      cpus: z.object({ total: z.number(), admitted: z.number() }),
    }),
  ),
  async run({ reserve }, { now, quota }) {
    if (reserve !== undefined) await quota.setReserve(reserve)
    const hosts = await quota.capacity()
    const seen = (at: Date | null) => (at ? `${formatDuration(now.getTime() - at.getTime())} ago` : 'never')
    const extras = {
      table: {
        head: ['HOST', 'MEMORY', 'KEPT', 'GIVEN', 'FREE', 'CPUS', 'GIVEN', 'STATE'],
        rows: hosts.map(({ host, memory, cpus, reachable, seenAt }) => [
          host,
          formatSize(memory.total),
          formatSize(memory.reserve),
          formatSize(memory.admitted),
          formatSize(Math.max(0, memory.total - memory.reserve - memory.admitted)),
          formatCpus(cpus.total),
          formatCpus(cpus.admitted),
          reachable ? 'reachable' : `unreachable, seen ${seen(seenAt)}`,
        ]),
      },
      data: hosts.map(({ host, reachable, seenAt, memory, cpus }) => ({
        host,
        reachable,
        seen_at: seenAt?.toISOString() ?? null,
        memory,
        cpus: { total: cpus.total / 1000, admitted: cpus.admitted / 1000 },
      })),
    }
    if (reserve !== undefined)
      return ok(`${formatSize(reserve)} of memory is kept for the host itself; what runs already goes on.`, extras)
    return info('This is what the host has and what has been given out.', extras)
  },
})
