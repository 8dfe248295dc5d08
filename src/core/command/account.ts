import type { Account, Visitor } from '../model/visitor.ts'
import { DcmError } from '../reply/error.ts'

/** Completes a mention with where it was typed. @throws DcmError `usage` where a mention means nothing */
export function placeAccount(account: Account, from: Visitor | undefined): Visitor {
  if (account.platform !== null && account.scope !== null)
    return { ...account, platform: account.platform, scope: account.scope }
  if (from) return { ...account, platform: from.platform, scope: from.scope }
  throw new DcmError(
    'usage',
    'A mention means somebody only in the chat itself; elsewhere write PLATFORM:WORKSPACE/USER, like slack:T1/U1.',
  )
}
