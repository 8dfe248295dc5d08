import type { Quota } from './quota.ts'
import type { Visitor } from './visitor.ts'

/** An admin has every member's commands and those that concern others. */
export type Role = 'member' | 'admin'

/** `leaving`: `user rm` has begun; nothing new is admitted for them any more. */
export type PersonState = 'active' | 'suspended' | 'leaving'

/** A member. The id is never used again; the name may be, by a new person who inherits nothing. */
export type Person = {
  id: string
  name: string
  role: Role
  state: PersonState
  /** What an admin set for this person; the site's defaults hold for the rest. */
  quota: Partial<Quota>
  createdAt: Date
}

/** Where a call came in; recorded with every audit row. */
export type Surface = 'local' | 'http' | 'ssh' | 'slack' | 'discord' | 'hook' | 'system'

/** What a token may do: nothing beyond these commands, and these containers where they are named. */
export type Scope = { commands: string[] | null; containers: string[] | null }

/** Who is calling, as the door found out. `person` is null for someone whom DCM does not know. */
export type Actor = {
  person: Person | null
  surface: Surface
  /** Network address or chat channel; only for the audit log and rate limits. */
  address?: string
  /** Present for a token that is good for some things only: narrows what the person may do. */
  scope?: Scope
  /** The token that was shown, where one was. */
  tokenId?: string
  /** SHA256 fingerprint of the key that signed in, where one did. */
  fingerprint?: string
  /** The chat account that the call came from. */
  visitor?: Visitor
  /** The admin who acts for `person` by `--as`. */
  by?: Person
}
