import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'
import { hookData, toHookData } from './data.ts'

export const hookLs = defineCommand({
  name: 'hook ls',
  aliases: ['hooks', 'hook list', 'webhook ls'],
  about: 'List your webhooks, without their secrets.',
  examples: ['hook ls'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: {},
  gives: z.array(hookData),
  async run(_, { caller, hooks, now, place }) {
    const all = await hooks.list(caller.person.id)
    const data = all.map((hook) => toHookData(hook, place, now))
    if (all.length === 0) return info('You have no hook; make one with hook new.', { data })
    return info(`You have ${count(all.length, 'hook')}.`, {
      table: {
        head: ['NAME', 'RUNS', 'SIGNED AS', 'EVENTS', 'EXPIRES', 'WRONG SIGNATURES'],
        rows: all.map((hook) => [
          ...[hook.name, hook.line, hook.verify, hook.events.join(', ') || 'all'],
          ...[hook.expiresAt <= now ? 'expired' : formatTime(hook.expiresAt), String(hook.failures)],
        ]),
      },
      data,
    })
  },
})
