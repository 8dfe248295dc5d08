import type { Command } from '../command/define.ts'
import type { Actor, Surface } from '../model/person.ts'
import type { Visitor } from '../model/visitor.ts'
import type { Waiting } from '../operation/waiters.ts'
import type { Reply } from '../reply/reply.ts'
import type { Attendance } from './attend.ts'
import type { Admission, Presented } from './login.ts'
import type { Opened, Opening, Target } from './open.ts'

export type { Waiting }

/** What a caller shows to be known. */
export type Credential =
  /** Someone who could open the local socket: acts as the member `admin`. */
  | { kind: 'local' }
  | { kind: 'token'; secret: string }
  /** A key that has just proved itself in an SSH handshake. */
  | { kind: 'key'; fingerprint: string }
  /** Whoever a chat platform says it is; its adapter has checked the platform's signature. */
  | { kind: 'chat'; visitor: Visitor }

/** One call: a typed line, words already split, or a command by name with arguments as JSON. */
export type Call = {
  actor: Actor
  input: { line: string } | { words: string[] } | { name: string; args: Record<string, unknown> }
  /** Ties reply, log and audit row together; made by the door when absent. */
  requestId?: string
  idempotencyKey?: string
  /** Bytes that come with it, for a command that streams; read once, or not at all. */
  body?: AsyncIterable<Uint8Array>
  /** It was begun before, under the same `requestId`, and cut off: what it began then is waited for, not begun anew. */
  again?: boolean
}

/** An operation as its owner may see it. `reply` is there once it has ended. */
export type OperationView = {
  id: string
  kind: string
  state: 'running' | 'done' | 'failed'
  progress: string | null
  reply: Reply | null
}

/** The one way in. Every adapter holds one and nothing else of the core. */
export type Door = {
  commands: readonly Command[]
  /** Who this is; an actor without a person when DCM does not know them. @throws DcmError `unlinked` for a token that is not good */
  identify(credential: Credential, from: { surface: Surface; address?: string }): Promise<Actor>
  /** Decides about a key and a user name out of an SSH handshake, and records it. @throws DcmError `unavailable` */
  login(presented: Presented): Promise<Admission>
  /** Lists somebody as connected; `leave` is called, with a sentence, when they have to go. @throws DcmError `limited` */
  attend(actor: Actor, doing: string, leave: (why: string) => void): Promise<Attendance>
  /** Opens a byte stream into a container that the actor may enter, waking it first, and lists them as inside. @throws DcmError */
  open(actor: Actor, target: Target, opening: Opening): Promise<Opened>
  /** Finds, authorizes, reads, admits, runs, records, answers. Never throws. */
  handle(call: Call, waiting?: Waiting): Promise<Reply>
  /** What could stand at the end of this unfinished line; only what would be accepted. Never throws. */
  complete(actor: Actor, line: string): Promise<string[]>
  /** An operation the caller began or whose outcome concerns them. @throws DcmError `not_found` */
  operation(actor: Actor, id: string, waiting?: Waiting): Promise<OperationView>
  /** Whether everything a call needs answers, and how much is still under way. */
  health(): Promise<{ ready: boolean; settled: boolean; open: number; problems: string[] }>
}
