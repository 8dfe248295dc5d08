import type { Intent, Intents } from '../command/intents.ts'
import type { Log } from '../model/log.ts'
import { DcmError } from '../reply/error.ts'
import { refusal, type Reply, warn } from '../reply/reply.ts'
import type { AuditEntry } from '../store/audit.ts'
import type { OperationRow } from '../store/operations.ts'
import type { Operation, Run, State, Works } from './define.ts'
import { explain, passing } from './explain.ts'

const patience = 30_000
/** Lives in a row that a stored operation may end before it is held to be what ends them. */
const deaths = 5
/** How long one that cannot be undone waits after as many, at first and at most. */
const rest = { first: 15_000, most: 600_000 }

/** What a step has of those who asked and those who wait: `also` and `ended` of Run. */
export type Beside = Pick<Run<Intent, State>, 'also' | 'ended'> & { body: AsyncIterable<Uint8Array> | undefined }

/**
 * Carries out a stored operation from its last stored step to its outcome, or undoes it. What it does is written under
 * the fence of its lease, so that whoever has been overtaken changes nothing any more.
 */
export function createExecute(deps: {
  works: Works
  kinds: ReadonlyMap<string, Operation>
  log: Log
  tell(id: string, what: OperationRow | string): void
  beside(row: OperationRow, signal: AbortSignal): Beside
}) {
  const { works, kinds, log, tell, beside } = deps
  const { store } = works

  async function execute(row: OperationRow, signal: AbortSignal): Promise<void> {
    const operation = kinds.get(row.kind)
    if (!operation) throw new Error(`unknown kind of operation: ${row.kind}`)
    let { state, step, status, error } = row
    // A database that is away for a moment is waited for: what a step did must not count as failed for it.
    const save = (changes: Partial<OperationRow>) =>
      patiently(async () => {
        if (!(await store.operations.save(row.id, row.fence, changes))) throw new Lost()
      }, signal)
    if (row.fence - 1 - row.attempts >= deaths) {
      const facts = { operation: row.id, kind: row.kind, step: operation.steps[step]?.name, begun: row.fence }
      if (status === 'undoing' || operation.waits || operation.steps[step]?.forward) {
        log.error(
          facts,
          `an operation was under way at ${deaths} ends of DCM in a row; it waits before it is tried again`,
        )
        // One life may then try it, and the next waits longer; a start takes up at once only what has a holder.
        const wait = Math.min(rest.most, rest.first * 2 ** (row.fence - 1 - deaths))
        await store.operations.postpone(row.id, row.fence, wait, { attempts: row.fence + 1 - deaths, holder: null })
        return
      }
      log.error(facts, `an operation was under way at ${deaths} ends of DCM in a row; it is undone`)
      error = {
        code: 'internal',
        sentence: `DCM ended ${deaths} times in a row while this was being done, so it was given up; tell an admin, who finds it in the log.`,
      }
      status = 'undoing'
      await save({ status, error })
    }
    const run = (): Run<Intent, State> => ({
      ...works,
      ...beside(row, signal),
      id: row.id,
      input: row.input as Intents[Intent],
      state,
      signal,
      async say(text) {
        tell(row.id, text)
        await save({ progress: text })
      },
    })

    try {
      while (status === 'open' && step < operation.steps.length) {
        const current = operation.steps[step]!
        let added: State | void
        try {
          added = await patiently(() => current.do(run()), signal)
        } catch (cause) {
          if (cause instanceof Lost || signal.aborted || current.forward) throw cause
          const said = explain(cause)
          log[said.code === 'internal' ? 'error' : 'warn'](
            { operation: row.id, kind: row.kind, step: current.name, err: cause },
            'a step failed; undoing',
          )
          error = { code: said.code, sentence: said.message, ...(said.try ? { try: said.try } : {}) }
          // First stored: nobody hears that it failed while another life may still find it open.
          await save({ status: 'undoing', error, step })
          status = 'undoing'
          break
        }
        step++
        state = { ...state, ...added }
        // The next step reads what another life would.
        if (step < operation.steps.length) state = JSON.parse(JSON.stringify(state)) as State
        // The last step and the outcome are one write, so that the answer is never ahead of what is stored.
        if (step < operation.steps.length) await save({ state, step })
      }
      if (status === 'open') {
        await finish({ step, status: 'done', reply: told() })
        return
      }
      for (let at = Math.min(step, operation.steps.length - 1); at >= 0; at--) {
        const undo = operation.steps[at]!.undo
        if (undo) await undo(run())
        await save({ step: at })
      }
      await operation.release?.(run())
      await finish({ status: 'failed', reply: refusal(failure(error)) })
    } catch (cause) {
      if (cause instanceof Lost) return
      // Left for later: by the next start of this process, by another one, or by this one's next look.
      const wait = signal.aborted ? 0 : Math.min(60_000, 1000 * 2 ** Math.min(row.attempts, 6))
      await store.operations.postpone(row.id, row.fence, wait, { attempts: row.fence }).catch(() => undefined)
      if (!signal.aborted)
        log.warn({ operation: row.id, kind: row.kind, err: cause }, 'an operation waits for its host')
      if (status === 'undoing' && error)
        tell(row.id, {
          ...row,
          status: 'failed',
          reply: refusal(failure(error)),
        })
    }

    /** In the operation's own words; that these are broken makes nothing of what was done undone. */
    function told(): Reply {
      try {
        return operation!.reply({ input: row.input as Intents[Intent], state, place: works.place })
      } catch (err) {
        log.error({ operation: row.id, kind: row.kind, err }, 'what an operation did could not be put into words')
        return warn('It is done, but DCM cannot say how; an admin finds why in the log.')
      }
    }

    async function finish(changes: Partial<OperationRow>) {
      const finishedAt = works.now()
      // What was asked and found may hold values of the caller's; once it has ended only its Reply is needed.
      const bare = { input: {}, state: {}, finishedAt, leaseUntil: null }
      await store.tx(async (tx) => {
        if (!(await tx.operations.save(row.id, row.fence, { ...changes, ...bare }))) throw new Lost()
        await tx.audit.add(ending(row, changes))
      })
      tell(row.id, { ...row, ...changes, finishedAt })
    }
  }

  // A host that does not answer for a moment is waited for; what it refuses is final at once.
  async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const started = performance.now()
    for (let tries = 0; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (!passing(error) || signal.aborted || performance.now() - started > patience) throw error
        await Promise.race([works.sleep(Math.min(4000, 250 * 2 ** tries)), aborted(signal)])
      }
    }
  }

  return execute
}

/** The audit row of an operation's end: written with it, so that the log and the world agree after any crash. */
function ending(row: OperationRow, changes: Partial<OperationRow>): AuditEntry {
  const { id, actorId, actorName, asName, surface, address, fingerprint, command, target, requestId } = row
  const reply = changes.reply as Reply
  const decision = changes.status === 'done' ? 'done' : 'failed'
  const failure = reply.error ? { code: reply.error, detail: reply.text.slice(0, 500) } : {}
  return {
    actorId,
    actor: actorName,
    as: asName,
    surface,
    address,
    fingerprint,
    command,
    target,
    decision,
    operationId: id,
    requestId,
    ...failure,
  }
}

/** What a step was refused with, as it was stored. */
const failure = (error: OperationRow['error']): DcmError =>
  new DcmError((error?.code ?? 'internal') as DcmError['code'], error?.sentence ?? 'It did not work.', {
    try: error?.try,
  })

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

/** Another process has taken over: its word counts, ours must not be written. */
class Lost extends Error {
  override readonly name = 'Lost'
}
