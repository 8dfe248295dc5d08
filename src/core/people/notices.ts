import { newId, type Random } from '../model/id.ts'
import { type NoticeKind, noticeKinds } from '../model/notice.ts'
import { formatTime } from '../model/time.ts'
import type { Action } from '../reply/reply.ts'
import type { Store, Tables } from '../store/store.ts'

/** How long before its end a grant is told of, or less for one that was given for a short time. */
const ahead = 3_600_000

/** Writes down something that a member should hear of. The same `key` is told once, however often it is seen. */
export async function notice(
  tx: Tables,
  random: Random,
  what: { ownerId: string; kind: NoticeKind; key: string; text: string; actions?: Action[] },
): Promise<void> {
  await tx.notices.insert({ id: newId(random), ...what })
}

/** The same about a container: told once for each `when`. */
export const noticeOf = (
  tx: Tables,
  random: Random,
  container: { id: string; ownerId: string },
  { when, ...what }: { kind: NoticeKind; when: string; text: string; actions?: Action[] },
): Promise<void> =>
  notice(tx, random, { ownerId: container.ownerId, key: `${what.kind}:${container.id}:${when}`, ...what })

/** Looks for what is about to end. */
export async function noticeEnding(deps: { store: Store; random: Random; now(): Date }): Promise<void> {
  const { store } = deps
  for (const { ownerId, thing, expiresAt, createdAt } of await store.notices.endingGrants(ahead)) {
    if (!expiresAt) continue
    const left = expiresAt.getTime() - deps.now().getTime()
    if (left > (expiresAt.getTime() - createdAt.getTime()) / 4) continue
    await notice(store, deps.random, {
      ownerId,
      kind: thing.startsWith('port:') ? 'port' : 'grant',
      key: `grant:${thing}:${expiresAt.toISOString()}`,
      text: `Your grant ${thing} ends ${formatTime(expiresAt)}.`,
      actions: [{ label: 'Ask for more', line: `request ${thing} --for 1d` }],
    })
  }
}

/** What `notify` shows and changes. */
export function createNotify({ store }: { store: Store }) {
  return {
    kinds: noticeKinds,
    muted: (ownerId: string) => store.notices.muted(ownerId),
    mute: (ownerId: string, kind: NoticeKind, off: boolean) => store.notices.mute(ownerId, kind, off),
  }
}
