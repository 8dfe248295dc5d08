import { formatVisitor } from '../model/visitor.ts'
import { type Action, info, type Reply, warn } from '../reply/reply.ts'
import type { Store } from '../store/store.ts'
import { type LetterDeps, owe } from './letter.ts'

/** A burst is told as one message: once it has been quiet for so long, or after so long at most. */
const quiet = 2500
const most = 15_000

/** Several notices as one message. */
function fold(rows: readonly { text: string; kind: string; actions: Action[] }[]): Reply {
  const bad = rows.some((row) => row.kind !== 'request')
  const say = bad ? warn : info
  if (rows.length === 1)
    return say(rows[0]!.text, {
      actions: rows[0]!.actions,
      fields: { 'to turn this off': `notify off ${rows[0]!.kind}` },
    })
  const shown = rows.slice(0, 50)
  const actions = shown
    .flatMap((row) => row.actions)
    .filter((action, at, all) => all.findIndex((other) => other.line === action.line) === at)
  return say(`${rows.length} things happened; here they are in order.`, {
    table: { head: ['KIND', 'WHAT'], rows: shown.map((row) => [row.kind, row.text]) },
    actions: actions.slice(0, 5),
  })
}

/** Sends members what they should hear of, where they were last seen in a chat. Those who are in none hear of nothing. */
export async function tellNotices(deps: LetterDeps & { store: Store }): Promise<void> {
  for (const ownerId of await deps.store.notices.due(quiet, most))
    await deps.store.tx(async (tx) => {
      const rows = await tx.notices.take(ownerId)
      const muted = await tx.notices.muted(ownerId)
      const heard = rows.filter((row) => !muted.includes(row.kind))
      const at = heard.length > 0 ? await tx.identities.latest(ownerId) : undefined
      if (!at) return
      const address = { kind: 'user', scope: at.scope, user: at.userId } as const
      await owe(tx, deps, {
        platform: at.platform,
        address,
        reply: fold(heard),
        asker: ownerId,
        visitor: formatVisitor({ platform: at.platform, scope: at.scope, user: at.userId }),
      })
    })
}
