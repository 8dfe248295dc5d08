import type { Visitor } from '../model/visitor.ts'
import type { Reply } from '../reply/reply.ts'
import type { ChatFile } from './file.ts'

export { discordScope } from '../model/visitor.ts'

/**
 * Where a message goes: to a member alone, into a channel, or as the answer to a call, in whatever words the adapter
 * that took the call needs (its `kind` is the adapter's own). JSON only; it is stored sealed.
 */
export type Address =
  | { kind: 'user'; scope: string; user: string }
  | { kind: 'channel'; scope: string; channel: string }
  | ({ kind: 'call'; scope: string } & Record<string, unknown>)

/** A button as it stands on a message: pressing it sends its opaque id back. */
export type Button = { id: string; label: string; danger?: true; confirm?: string }

/** Which part of a stored answer is shown; a press of `page` with another number shows that one. */
export type Page = { id: string; at: number; of: number }

/** One message as an adapter gets it to render and send. */
export type Letter = {
  /** The same for every try, so that what a platform can de-duplicate by is stable. */
  id: string
  reply: Reply
  buttons: Button[]
  page?: Page
  /** Takes the place of the message whose button was pressed. */
  instead: boolean
  /** An earlier try may have arrived: it is said so, since it cannot be found out. */
  repeat: boolean
  /** Harmless, and meant for the whole channel. */
  open: boolean
}

/** Where a message now is, in the adapter's own words; an edit needs it. */
export type Placed = Record<string, unknown>

/**
 * What an adapter can do for the core: put a message somewhere, or edit the one at `placed`. A failure is `Undelivered`
 * where the adapter knows what it means; any other is tried again.
 */
export type Outlet = {
  platform: string
  send(address: Address, letter: Letter, placed: Placed | null): Promise<Placed>
  /** Fetches a file from where the platform itself keeps files, and from nowhere else. @throws DcmError */
  fetch?(address: Address, file: ChatFile): Promise<AsyncIterable<Uint8Array>>
  /** Says how a call is getting on, on the message that will be its answer. It may do nothing. */
  progress?(address: Address, text: string, placed: Placed | null): Promise<Placed | null>
}

/**
 * Why a message did not arrive: `later` says in how many milliseconds to try again; without it there is no use in trying.
 * `all`: the platform asked for that pause, so nothing is sent to that place before.
 */
export class Undelivered extends Error {
  readonly later: number | undefined
  readonly all: boolean
  constructor(why: string, later?: number, cause?: unknown, all = false) {
    super(why, { cause })
    this.name = 'Undelivered'
    this.later = later
    this.all = all
  }
}

/** What somebody in a chat did: typed a line, named a command with arguments (a form), pressed a button, turned a page. */
export type Input =
  | { line: string }
  | { name: string; args: Record<string, unknown> }
  | { press: string }
  | { page: string; at: number }

/** A call from a chat, as its adapter took it. `key` names the delivery: the same again is not carried out again. */
export type Errand = {
  visitor: Visitor
  key: string
  input: Input
  address: Address
  /** Shown in the audit log. */ channel?: string
  /** What was sent along. */
  files?: ChatFile[]
}
