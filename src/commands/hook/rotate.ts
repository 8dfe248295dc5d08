import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { howTo } from '../../core/reply/hook.ts'
import { ok } from '../../core/reply/reply.ts'
import { hookArg, hookData, toHookData, toHookFields } from './data.ts'

export const hookRotate = defineCommand({
  name: 'hook rotate',
  about: 'Give a webhook a new secret, shown once; the old one stays good for a while.',
  examples: ['hook rotate deploy', 'hook rotate deploy --now'],
  needs: 'member',
  changes: 'rights',
  records: true,
  private: true,
  args: {
    hook: hookArg,
    overlap: { kind: 'duration', flag: true, default: '24h', about: 'How long the old secret stays good.' },
    now: { kind: 'flag', flag: true, optional: true, about: 'Refuse the old secret at once, as after a leak.' },
  },
  gives: hookData.extend({ secret: z.string().describe('What the sender signs with from now on; shown only now.') }),
  async run({ hook: name, overlap, now: atOnce }, { caller, hooks, now, place }) {
    const { hook, secret } = await hooks.rotate(caller.person.id, name, atOnce ? 0 : overlap)
    const old = hook.previousUntil
      ? `the old one is good until ${formatTime(hook.previousUntil)}`
      : 'the old one is refused from now on'
    return ok(`This is the new secret of ${hook.name}, shown only this once; ${old}.`, {
      fields: toHookFields(hook, place, now),
      code: howTo(hook, place, secret),
      private: true,
      data: { ...toHookData(hook, place, now), secret },
    })
  },
})
