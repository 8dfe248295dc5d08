import { newId, type Random } from '../model/id.ts'
import type { Actor, Surface } from '../model/person.ts'
import type { Log } from '../model/log.ts'
import { DcmError } from '../reply/error.ts'
import { hashToken, isToken } from '../secret/token.ts'
import type { Store } from '../store/store.ts'
import type { Door } from './door.ts'
import { auditEntry } from './record.ts'

/** The member that the local command acts as. */
export const localName = 'admin'

/** How often a token's last use is written down. */
const touchEvery = 60_000
/** How often an address that shows wrong tokens is written down, and how many addresses are kept in mind. */
const noteEvery = 60_000
const mostNoted = 1000

/** Finds out who shows a credential. What is refused here is told in the same words whatever was wrong with it. */
export function createIdentify(deps: { store: Store; log: Log; now(): Date; random: Random }): Door['identify'] {
  const { store, log } = deps
  const noted = new Map<string, number>()

  /** Writes down that a token was no good: once a minute for one address, so that guessing does not fill the log. */
  async function note(from: { surface: Surface; address?: string }): Promise<void> {
    const at = deps.now().getTime()
    const address = from.address ?? ''
    if (at - (noted.get(address) ?? 0) < noteEvery) return
    if (noted.size >= mostNoted) noted.clear()
    noted.set(address, at)
    const facts = { command: 'token', requestId: newId(deps.random), target: null, decision: 'refused' as const }
    const entry = auditEntry({ person: null, ...from }, { ...facts, code: 'unlinked', detail: 'no good token' })
    await store.audit.add(entry)
  }

  return async (credential, from): Promise<Actor> => {
    switch (credential.kind) {
      case 'local': {
        const person = await store.people.byName(localName)
        return { person: person ?? null, ...from }
      }
      case 'token': {
        const found = isToken(credential.secret) ? await store.tokens.byHash(hashToken(credential.secret)) : undefined
        if (!found) {
          await note(from)
          throw new DcmError(
            'unlinked',
            'That token is not good: it is wrong, expired or revoked; make one with token new.',
          )
        }
        const { token, person } = found
        if (deps.now().getTime() - (token.lastUsedAt?.getTime() ?? 0) > touchEvery)
          store.tokens
            .touch(token.id)
            .catch((err: unknown) => log.warn({ err }, "a token's use could not be written down"))
        const narrowed = token.commands !== null || token.containers !== null
        return {
          person,
          ...from,
          tokenId: token.id,
          ...(narrowed ? { scope: { commands: token.commands, containers: token.containers } } : {}),
        }
      }
      case 'chat': {
        const { visitor } = credential
        const found = await store.identities.person(visitor)
        if (found && deps.now().getTime() - found.usedAt.getTime() > touchEvery)
          store.identities
            .touch(visitor)
            .catch((err: unknown) => log.warn({ err }, "a chat account's use could not be written down"))
        return { person: found?.person ?? null, ...from, visitor }
      }
      case 'key': {
        const person = await store.keys.owner(credential.fingerprint)
        return { person: person ?? null, ...from, fingerprint: credential.fingerprint }
      }
    }
  }
}
