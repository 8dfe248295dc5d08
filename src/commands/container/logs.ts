import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { info } from '../../core/reply/reply.ts'

export const logs = defineCommand({
  name: 'logs',
  about: 'Show what a container has printed.',
  examples: ['logs web', 'logs web --tail 20 --since 10m'],
  needs: 'look',
  changes: false,
  private: true,
  args: {
    container: { kind: 'container', about: 'Container whose log to show.' },
    tail: { kind: 'count', about: 'Lines from the end.', flag: true, short: 'n', default: 100 },
    since: { kind: 'when', about: 'Only what was printed since then.', flag: true, optional: true },
    timestamps: { kind: 'flag', about: 'Put the time before each line.', flag: true, short: 't', optional: true },
  },
  gives: z.object({ log: z.string(), cut: z.boolean() }),
  async run({ container, tail, since, timestamps }, { containers }) {
    const { text, cut } = await containers.logs(container, {
      tail: Math.min(tail, 10_000),
      since,
      timestamps: timestamps ?? false,
    })
    const log = text.replace(/\n$/, '')
    if (log === '')
      return info(`${container.name} has printed nothing${since ? ' since then' : ''}.`, { data: { log: '', cut } })
    return info(`The log of ${container.name}${cut ? ', its last megabyte' : ''}:`, { code: log, data: { log, cut } })
  },
})
