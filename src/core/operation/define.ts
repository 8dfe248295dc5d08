import type { AdminChannel, Signup } from '../model/signup.ts'
import type { PortRange } from '../containers/ports.ts'
import type { Intent, Intents } from '../command/intents.ts'
import type { Host } from '../host/host.ts'
import type { Random } from '../model/id.ts'
import type { Place } from '../model/place.ts'
import type { Reply } from '../reply/reply.ts'
import type { Seal } from '../secret/seal.ts'
import type { Store, Tables } from '../store/store.ts'

/** What the site chose in its configuration. */
export type Settings = {
  /** Where new containers go. */
  hostId: string
  ports: PortRange
  /** Folders that offered images are made from, by name. */
  recipes?: ReadonlyMap<string, string>
  /** CIDR out of which each member gets a /26. */
  subnetPool: string
  /** Who may become a member by themselves; nobody when absent. */
  signup?: Signup
  /** Milliseconds after which a container that nobody uses is stopped; never when absent. */
  idleStop?: number
  /** Where cards for admins go; to each admin when absent. */
  adminChannel?: AdminChannel
}

/** What steps work with: everything that comes in from outside, so that tests can drive it. */
export type Works = {
  store: Store
  /** @throws HostError `down` for a host that this process does not know */
  host(id: string): Host
  seal: Seal
  place: Place
  settings: Settings
  now(): Date
  random: Random
  sleep(ms: number): Promise<void>
}

/**
 * Admits another operation with this one, in the same transaction and name: all of them are stored, or none.
 * @returns its id
 */
export type Also = <J extends Intent>(kind: J, input: Intents[J], target: string) => Promise<string>

/** Facts that an operation gathers, stored after each step. JSON only. */
export type State = Record<string, unknown>

/** One run of one step. `state` is what earlier steps stored. */
export type Run<K extends Intent, S extends State> = Works & {
  id: string
  input: Intents[K]
  state: S
  /** Aborted when another process has taken over or this one is stopping. */
  signal: AbortSignal
  /** What came with the call, to be read once; undefined in another process, or another life, than the call's. */
  body: AsyncIterable<Uint8Array> | undefined
  /** Tells whoever waits, in a few words. */
  say(text: string): Promise<void>
  /**
   * Begins another operation in the same name and waits for its end; one that this run's earlier life has begun is
   * waited for, not begun again. @returns its Reply @throws DcmError what its admission refuses
   */
  also<J extends Intent>(kind: J, input: Intents[J], target: string): Promise<Reply>
  /** Waits for the end of an operation that was admitted with this one. */
  ended(id: string): Promise<Reply>
}

/**
 * One step. `do` may run again after a crash at any point in it, also after it succeeded; what it returns is added to
 * the state. `undo` runs when this step or a later one failed for good, and may run again too.
 */
export type Step<K extends Intent, S extends State> = {
  name: string
  do(run: Run<K, S>): Promise<Partial<S> | void>
  undo?(run: Run<K, S>): Promise<void>
  /** What came before can no longer be undone, so that this one is tried until it succeeds. */
  forward?: true
}

/** How one intent is carried out. */
export type Operation<K extends Intent = Intent, S extends State = State> = {
  kind: K
  /** What it locks: `container:<id>`, `person:<id>`. Only one open operation has a subject. */
  subject(input: Intents[K], id: string): string
  /** It changes nothing and may take days: a process that stops lets go of it at once, and it is not counted as under way. */
  waits?: true
  /** Said of it while it runs: `being created`. */
  doing: string
  /** Brings up to date what admission reads of the owner and a transaction is too short to look up. */
  before?(works: Works, ownerId: string): Promise<void>
  /**
   * Checks and reserves, in the transaction that stores the intent, under the owner's row lock. What it throws leaves
   * nothing behind.
   */
  admit(tx: Tables, input: Intents[K], id: string, works: Works, also?: Also): Promise<S>
  steps: readonly Step<K, S>[]
  /** Takes back what admission reserved. Runs after every step's undo, whichever step failed, and may run again. */
  release?(run: Run<K, S>): Promise<void>
  /** The answer, from what is stored: the same after a restart. */
  reply(outcome: { input: Intents[K]; state: S; place: Place }): Reply
}

/** States an operation. The erased form is what the runner keeps; its pieces only ever meet their own input and state. */
export const defineOperation = <K extends Intent, S extends State>(operation: Operation<K, S>): Operation =>
  operation as unknown as Operation
