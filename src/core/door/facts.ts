import { explain } from '../operation/explain.ts'
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
  async function record(facts: Facts, decision: 'done' | 'refused' | 'failed', error?: DcmError): Promise<void> {
    const detail = error && error.code !== 'usage' ? printable(error.message) : (facts.detail ?? null)
    const { actor, command, requestId, target } = facts
    await store.audit.add(
      auditEntry(actor, { command, requestId, target, decision, detail, ...(error ? { code: error.code } : {}) }),
    )
  }

  /** The only place where anything thrown becomes words. */
  async function refused(error: unknown, facts: Facts): Promise<Reply> {
    const said = explain(error)
    const { requestId, command } = facts
    const broken = said.code === 'internal'
    if (broken) log.error({ requestId, command, err: said.cause ?? said }, 'a call broke')
    else if (said.code === 'unavailable')
      log.warn({ requestId, command, err: said.cause ?? said }, 'a call found something that does not answer')
    // A log that cannot be written must not hide the answer; the database is probably what is down.
    await record(facts, broken ? 'failed' : 'refused', said).catch((err: unknown) =>
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

  return { record, refused }
}
