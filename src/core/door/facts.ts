import { explain } from '../operation/explain.ts'
import type { Decision } from '../model/audit.ts'
import type { Log } from '../model/log.ts'
import type { Actor } from '../model/person.ts'
import { DcmError } from '../reply/error.ts'
import { refusal, type Reply } from '../reply/reply.ts'
import { printable } from '../reply/text.ts'
import type { Store } from '../store/store.ts'
import { auditEntry } from './record.ts'
import type { Keyed } from './repeat.ts'

/** What is known of a call once it has been read; for the audit row and the log. */
export type Facts = {
  requestId: string
  actor: Actor
  command: string
  target: string | null
  detail?: string
  keyed?: Keyed
  again?: boolean
  /** Bytes that come with it. */
  body?: AsyncIterable<Uint8Array>
}

/** What a channel may hear of a call: who and what, and nothing of the answer. */
export const harmless = ({ actor, command, target }: Facts) =>
  `${actor.person?.name ?? 'Somebody'} used ${command}${target ? ` ${target}` : ''}.`

/** Writes calls down, and puts what they threw into words. */
export function createWriter({ store, log }: { store: Store; log: Log }) {
  const entry = (facts: Facts, decision: Decision, error?: DcmError) => {
    const detail = error && error.code !== 'usage' ? printable(error.message) : (facts.detail ?? null)
    const { actor, command, requestId, target } = facts
    return auditEntry(actor, { command, requestId, target, decision, detail, ...(error ? { code: error.code } : {}) })
  }

  /** @param row one that was written before what it tells of was done */
  async function record(
    facts: Facts,
    decision: Exclude<Decision, 'begun'>,
    error?: DcmError,
    row?: number,
  ): Promise<void> {
    if (row === undefined) await store.audit.add(entry(facts, decision, error))
    else await store.audit.end(row, entry(facts, decision, error))
  }

  /**
   * Does what is over at once. Its row is there before, so that a process that dies on the way leaves a trace of it.
   * @returns what it gives, or the refusal that it threw
   */
  async function recorded<T>(facts: Facts, work: () => Promise<T>): Promise<T | Reply> {
    const row = await store.audit.begin(entry(facts, 'begun'))
    let result: T
    try {
      result = await work()
    } catch (error) {
      return refused(error, facts, row)
    }
    // What is done is done: where that cannot be written, the row goes on saying that it was begun.
    await record(facts, 'done', undefined, row).catch((err: unknown) =>
      log.warn({ requestId: facts.requestId, err }, 'the end of a change could not be recorded'),
    )
    return result
  }

  /** The only place where anything thrown becomes words. */
  async function refused(error: unknown, facts: Facts, row?: number): Promise<Reply> {
    const said = explain(error)
    const { requestId, command } = facts
    const broken = said.code === 'internal'
    if (broken) log.error({ requestId, command, err: said.cause ?? said }, 'a call broke')
    else if (said.code === 'unavailable')
      log.warn({ requestId, command, err: said.cause ?? said }, 'a call found something that does not answer')
    // A log that cannot be written must not hide the answer; the database is probably what is down.
    await record(facts, broken ? 'failed' : 'refused', said, row).catch((err: unknown) =>
      log.warn({ requestId, err }, 'a refusal could not be recorded'),
    )
    return refusal(
      broken
        ? new DcmError(
            'internal',
            `Something broke on our side (reference ${requestId}); an admin finds it in the log.`,
          )
        : said,
    )
  }

  return { record, recorded, refused }
}
