import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { type NoticeKind, noticeKinds } from '../../core/model/notice.ts'
import { info, ok } from '../../core/reply/reply.ts'

const kinds = [...(Object.keys(noticeKinds) as NoticeKind[]), 'all'] as const

export const notify = defineCommand({
  name: 'notify',
  about: 'Show what you are told by itself in your chat, or turn a kind on or off.',
  examples: ['notify', 'notify off died', 'notify on all'],
  needs: 'member',
  changes: true,
  private: true,
  args: {
    what: { kind: 'choice', of: ['on', 'off'], optional: true, about: 'Whether to be told.' },
    kind: { kind: 'choice', of: kinds, optional: true, about: 'Of what; all when absent.' },
  },
  gives: z.record(z.string(), z.boolean()),
  async run({ what, kind }, { caller, notify: settings }) {
    const { id } = caller.person
    const names = Object.keys(noticeKinds) as NoticeKind[]
    const wanted = kind === undefined || kind === 'all' ? names : [kind as NoticeKind]
    if (what !== undefined) for (const name of wanted) await settings.mute(id, name, what === 'off')
    const muted = await settings.muted(id)
    const rows = names.map((name) => [name, muted.includes(name) ? 'off' : 'on', noticeKinds[name]])
    const data = Object.fromEntries(names.map((name) => [name, !muted.includes(name)]))
    const table = { head: ['KIND', 'TOLD', 'WHEN'], rows }
    if (what === undefined) return info('This is what you are told in your chat.', { table, data })
    return ok(`You are ${what === 'on' ? 'told' : 'not told any more'} of ${kind ?? 'all'}.`, { table, data })
  },
})
