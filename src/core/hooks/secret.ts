import type { Random } from '../model/id.ts'
import type { Seal } from '../secret/seal.ts'
import type { HookRow } from '../store/hooks.ts'

/**
 * A new secret in the one form that every sender takes: GitHub, Gitea and a header take any text, and what signs as
 * Standard Webhooks do (GitLab's signing token among them) wants `whsec_` and 32 bytes in base64.
 */
export const makeSecret = (random: Random): string => `whsec_${Buffer.from(random(32)).toString('base64')}`

/** What a secret is sealed for: nothing else of the same hook opens it. */
export const sealedFor = (hookId: string): string => `hook/${hookId}`

/** The secrets that are good now: the present one, and the one before while it overlaps. @throws DcmError `unavailable` */
export const secretsOf = (seal: Seal, { id, sealed, previous }: HookRow, overlaps: boolean): string[] =>
  [sealed, ...(overlaps && previous !== null ? [previous] : [])].map((one) => seal.open(one, sealedFor(id)))
