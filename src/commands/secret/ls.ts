import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const secretLs = defineCommand({
  name: 'secret ls',
  about: 'List the names of the secrets that a container has.',
  examples: ['secret ls web'],
  needs: 'own',
  changes: false,
  private: true,
  args: { container: { kind: 'container', about: 'Container whose secrets to list.' } },
  gives: z.array(z.object({ name: z.string(), set_at: z.string() })),
  async run({ container }, { secrets }) {
    const all = await secrets.list(container)
    const data = all.map((one) => ({ name: one.name, set_at: one.setAt.toISOString() }))
    if (all.length === 0) return info(`${container.name} has no secrets.`, { data })
    return info(`${container.name} has ${count(all.length, 'secret')}; values are never shown.`, {
      table: { head: ['NAME', 'SET'], rows: all.map((one) => [one.name, formatTime(one.setAt)]) },
      data,
    })
  },
})
