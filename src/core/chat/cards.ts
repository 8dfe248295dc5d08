import type { AdminChannel } from '../model/signup.ts'
import { formatTime } from '../model/time.ts'
import { formatDuration } from '../model/units.ts'
import { formatVisitor } from '../model/visitor.ts'
import { type Cards, membership } from '../people/requests.ts'
import { type Action, info } from '../reply/reply.ts'
import type { RequestRow } from '../store/requests.ts'
import { type LetterDeps, lives, owe, sealLetter } from './letter.ts'

/** What an admin can press about an open request. */
export const decisions = ({ id, thing }: { id: string; thing: string }): Action[] => [
  ...(thing === membership
    ? [{ label: 'Approve', line: `approve ${id}` }]
    : [
        { label: 'Approve for 4 h', line: `approve ${id} --for 4h` },
        { label: 'Approve for 1 d', line: `approve ${id} --for 1d` },
      ]),
  { label: 'Deny', line: `deny ${id}` },
]

const asked = (row: Pick<RequestRow, 'thing' | 'lives' | 'why'>, who: string) =>
  row.thing === membership
    ? `${who} asks to become a member.`
    : `${who} asks for ${row.thing}${row.lives === null ? '' : ` for ${formatDuration(row.lives)}`}.`

function fieldsOf(row: RequestRow, who: string): Record<string, string> {
  return {
    id: row.id,
    who,
    ...(row.thing === membership ? {} : { thing: row.thing }),
    ...(row.lives === null ? {} : { for: formatDuration(row.lives) }),
    ...(row.why ? { why: row.why } : {}),
    ...(row.visitor ? { account: formatVisitor(row.visitor) } : {}),
  }
}

/** Requests as admins see them in a chat: in their channel, or each of them where they were last seen. */
export function createCards(deps: LetterDeps & { adminChannel: AdminChannel | undefined }): Cards {
  return {
    // Whoever presses is checked as if they had typed the line.
    async show(tx, row, who) {
      const reply = info(asked(row, who), { fields: fieldsOf(row, who), actions: decisions(row) })
      const about = { reply, lives: lives.card }
      const channel = deps.adminChannel
      if (channel) {
        const { platform, scope } = channel
        return [
          await owe(tx, deps, { ...about, platform, address: { kind: 'channel', scope, channel: channel.channel } }),
        ]
      }
      const cards: string[] = []
      for (const admin of await tx.people.list()) {
        if (admin.role !== 'admin' || admin.state !== 'active' || admin.id === row.ownerId) continue
        const at = await tx.identities.latest(admin.id)
        if (!at) continue
        const address = { kind: 'user', scope: at.scope, user: at.userId } as const
        cards.push(await owe(tx, deps, { ...about, platform: at.platform, address }))
      }
      return cards
    },
    async settle(tx, row, who, { state, by, now }) {
      const [word, how] = [state === 'approved' ? 'Approved' : 'Denied', `by ${by.name}, ${formatTime(now)}`]
      const reply = info(`${asked(row, who)} ${word} ${how}.`, { fields: { ...fieldsOf(row, who), [state]: how } })
      for (const card of row.cards) {
        await tx.outbox.removeButtons(card)
        await tx.outbox.rewrite(card, sealLetter(deps.seal, card, { reply, buttons: [] }))
      }
    },
    async tell(tx, { platform, scope, user }, reply, asker) {
      const address = { kind: 'user', scope, user } as const
      await owe(tx, deps, { platform, address, reply, ...(asker ? { asker } : {}) })
    },
  }
}
