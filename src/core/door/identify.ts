import type { Actor } from '../model/person.ts'
import type { Log } from '../operation/runner.ts'
import { DcmError } from '../reply/error.ts'
import { hashToken, isToken } from '../secret/token.ts'
import type { Store } from '../store/store.ts'
import type { Door } from './door.ts'

/** The member that the local command acts as. */
export const localName = 'admin'

/** How often a token's last use is written down. */
const touchEvery = 60_000

/** Finds out who shows a credential. What is refused here is told in the same words whatever was wrong with it. */
export function createIdentify({ store, log }: { store: Store; log: Log }): Door['identify'] {
  return async (credential, from): Promise<Actor> => {
    switch (credential.kind) {
      case 'local': {
        const person = await store.people.byName(localName)
        return { person: person ?? null, ...from }
      }
      case 'token': {
        const found = isToken(credential.secret) ? await store.tokens.byHash(hashToken(credential.secret)) : undefined
        if (!found)
          throw new DcmError(
            'unlinked',
            'That token is not good: it is wrong, expired or revoked; make one with token new.',
          )
        const { token, person } = found
        if (Date.now() - (token.lastUsedAt?.getTime() ?? 0) > touchEvery)
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
        if (found && Date.now() - found.usedAt.getTime() > touchEvery)
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
