import { z } from 'zod'
import type { RequestView } from '../../core/command/views.ts'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { formatDuration } from '../../core/model/units.ts'
import { info } from '../../core/reply/reply.ts'

/** Machine data of one request. */
export const requestData = z.object({
  id: z.string(),
  who: z.string(),
  thing: z.string(),
  for: z.number().int().nullable().describe('Milliseconds; null when it was asked for without an end.'),
  why: z.string(),
  state: z.enum(['open', 'approved', 'denied']),
  decided_by: z.string().nullable(),
  decided_at: z.string().nullable(),
  created_at: z.string(),
})

/** A request as machine data. */
export const toRequestData = (view: RequestView): z.infer<typeof requestData> => ({
  id: view.id,
  who: view.who,
  thing: view.thing,
  for: view.lives,
  why: view.why,
  state: view.state,
  decided_by: view.decidedBy,
  decided_at: view.decidedAt?.toISOString() ?? null,
  created_at: view.createdAt.toISOString(),
})

const stateOf = (view: RequestView) =>
  view.decidedBy && view.decidedAt ? `${view.state} by ${view.decidedBy}, ${formatTime(view.decidedAt)}` : view.state

export const requests = defineCommand({
  name: 'requests',
  about: 'List what you asked the admins for; for admins, what is open.',
  examples: ['requests', 'requests --mine'],
  needs: 'member',
  changes: false,
  private: true,
  args: { mine: { kind: 'flag', optional: true, about: 'Only your own, for an admin too.' } },
  gives: z.array(requestData),
  async run({ mine }, { caller, requests: all }) {
    const admin = caller.person.role === 'admin' && !mine
    const list = admin ? await all.open() : await all.of(caller.person)
    const data = list.map(toRequestData)
    if (list.length === 0)
      return info(admin ? 'No request is open.' : 'You have asked for nothing; request THING asks the admins.', {
        data,
      })
    const rows = list.map((view) => [
      view.id,
      view.who,
      view.thing,
      view.lives === null ? '-' : formatDuration(view.lives),
      view.why || '-',
      stateOf(view),
    ])
    return info(`${thereAre(list.length, 'request')}.`, {
      table: { head: ['ID', 'WHO', 'THING', 'FOR', 'WHY', 'STATE'], rows },
      data,
    })
  },
})
