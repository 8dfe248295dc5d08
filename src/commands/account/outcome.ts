import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatDuration } from '../../core/model/units.ts'
import { info } from '../../core/reply/reply.ts'

export const outcome = defineCommand({
  name: 'outcome',
  aliases: ['operations', 'operation'],
  about: 'Tell how something that went on after its answer is getting on, or how it ended.',
  examples: ['outcome 4k2v9x7pq3zd'],
  needs: 'member',
  changes: false,
  records: true,
  private: true,
  args: { id: { kind: 'text', about: 'Its id, as the answer named it.' } },
  gives: z
    .unknown()
    .describe('What the command gives, once it has ended; until then its command, target and progress.'),
  async run({ id }, { outcomes, now }) {
    const { command, target, progress, createdAt, reply } = await outcomes.find(id)
    if (reply) return reply
    const since = formatDuration(now.getTime() - createdAt.getTime())
    return info(
      `${command}${target ? ` ${target}` : ''} has gone on for ${since}${progress ? ` (${progress})` : ''}; ask again to see how it ends.`,
      {
        data: { id, state: 'running', command, target, progress },
        actions: [{ label: 'Ask again', line: `outcome ${id}` }],
      },
    )
  },
})
