import type { Intent, Intents } from '../command/intents.ts'
import { HostError } from '../host/host.ts'
import { derivedId, newId } from '../model/id.ts'
import type { Log } from '../model/log.ts'
import { DcmError } from '../reply/error.ts'
import { refusal, type Reply } from '../reply/reply.ts'
import { violated } from '../store/db.ts'
import type { AuditEntry } from '../store/audit.ts'
import type { OperationRow } from '../store/operations.ts'
import type { Tables } from '../store/store.ts'
import type { Operation, Run, State, Works } from './define.ts'
import { explain, passing } from './explain.ts'

/** Who asked for an operation, as stored with it. */
export type Asker = Pick<
  OperationRow,
  'ownerId' | 'actorId' | 'actorName' | 'asName' | 'surface' | 'command' | 'target' | 'requestId'
> &
  Partial<Pick<OperationRow, 'address' | 'fingerprint'>>

/** How an operation stands. */
export type Outcome = { row: OperationRow; state: 'running' | 'done' | 'failed'; reply: Reply | null }

export type Runner = {
  /**
   * Stores an intent with what it reserves, in one transaction, and starts it. `also` runs in the same transaction;
   * `body` is for its steps, as long as this process lives.
   * @throws DcmError `conflict` while something else is being done to the same thing, and whatever admission refuses
   */
  begin<K extends Intent>(
    kind: K,
    input: Intents[K],
    asker: Asker,
    also?: (tx: Tables, id: string) => Promise<void>,
    body?: AsyncIterable<Uint8Array>,
  ): Promise<string>
  /** Goes as far as admission and takes all of it back. @throws whatever `begin` would */
  consider<K extends Intent>(kind: K, input: Intents[K], asker: Pick<Asker, 'ownerId' | 'target'>): Promise<void>
  /** Waits until it has ended, `ms` have passed or `signal` says so. @returns undefined when there is no such operation */
  wait(
    id: string,
    waiting: { ms?: number; signal?: AbortSignal; progress?(text: string, id: string): void },
  ): Promise<Outcome | undefined>
  /** Takes over what other processes left; call it regularly. */
  resume(): Promise<void>
  /** Stops taking on, lets steps under way end for up to `ms`, and leaves the rest for the next start. */
  stop(ms: number): Promise<void>
  running(): number
}

const lease = 15_000
const patience = 30_000
/** Lives in a row that a stored operation may end before it is held to be what ends them. */
const deaths = 5
const longest = 600_000

/**
 * Runs operations. Each is leased to one process at a time; a process that dies lets its leases run out and another,
 * or its own next life, goes on from the last stored step.
 */
export function createRunner(deps: {
  works: Works
  operations: readonly Operation[]
  holder: string
  log: Log
  /** Stores what is begun and leaves it to other processes. */
  storesOnly?: boolean
}): Runner {
  const { works, holder, log, storesOnly = false } = deps
  const { store } = works
  const kinds = new Map(deps.operations.map((operation) => [operation.kind as string, operation]))
  const bodies = new Map<string, AsyncIterable<Uint8Array>>()
  const live = new Map<string, { abort: AbortController; ended: Promise<void>; waits: boolean }>()
  const listeners = new Map<string, Set<(row: OperationRow | string) => void>>()
  let stopping = false

  const tell = (id: string, what: OperationRow | string) => listeners.get(id)?.forEach((listener) => listener(what))

  async function begin<K extends Intent>(
    kind: K,
    input: Intents[K],
    asker: Asker,
    also?: (tx: Tables, id: string) => Promise<void>,
    body?: AsyncIterable<Uint8Array>,
  ) {
    // Another process could not read it.
    if (body && storesOnly) throw explain(new HostError('elsewhere', 'What comes with a call is for this process.'))
    const id = newId(works.random)
    if (body) bodies.set(id, body)
    try {
      return await beginAs(id, kind, input, asker, also)
    } catch (error) {
      bodies.delete(id)
      throw error
    }
  }

  async function beginAs<K extends Intent>(
    id: string,
    kind: K,
    input: Intents[K],
    asker: Asker,
    also?: (tx: Tables, id: string) => Promise<void>,
  ) {
    if (stopping) throw new DcmError('unavailable', 'DCM is stopping; try again in a minute.')
    const leased = storesOnly ? undefined : { holder, ms: lease }
    // What is being admitted: the operation itself, and in the end whichever it has admitted with it.
    let trying: { target: string | null; subject: string } = { target: asker.target, subject: '' }
    try {
      const rows = await store.tx(async (tx) => {
        if (asker.ownerId) await tx.people.lockUsage(asker.ownerId)
        const stored: OperationRow[] = []
        async function admit<J extends Intent>(id: string, kind: J, input: Intents[J], asked: Asker): Promise<string> {
          const operation = kinds.get(kind)!
          const subject = operation.subject(input, id)
          const state = await operation.admit(tx, input, id, works, (other, wish, target) =>
            admit(newId(works.random), other, wish, { ...asked, target }),
          )
          trying = { target: asked.target, subject }
          stored.push(await tx.operations.insert({ id, kind, subject, input, state, ...asked }, leased))
          return id
        }
        await admit(id, kind, input, asker)
        await also?.(tx, id)
        return stored
      })
      if (!storesOnly) for (const row of rows) launch(row)
      return id
    } catch (error) {
      if (violated(error) !== 'operations_subject') throw error
      throw busy(trying.target, await store.operations.openOn(trying.subject))
    }
  }

  const busy = (target: string | null, other: OperationRow | undefined) => {
    const doing = other ? (kinds.get(other.kind)?.doing ?? 'being changed') : 'being changed'
    return new DcmError('conflict', `${target ?? 'It'} is ${doing}; try again when that has ended.`)
  }

  async function consider<K extends Intent>(kind: K, input: Intents[K], asker: Pick<Asker, 'ownerId' | 'target'>) {
    const taken = new Error('everything is taken back')
    const tried = store.tx(async (tx) => {
      if (asker.ownerId) await tx.people.lockUsage(asker.ownerId)
      async function admit<J extends Intent>(kind: J, input: Intents[J], target: string | null): Promise<string> {
        const operation = kinds.get(kind)!
        const id = newId(works.random)
        const other = await tx.operations.openOn(operation.subject(input, id))
        if (other) throw busy(target, other)
        await operation.admit(tx, input, id, works, admit)
        return id
      }
      await admit(kind, input, asker.target)
      throw taken
    })
    await tried.catch((error: unknown) => {
      if (error !== taken) throw error
    })
  }

  function launch(row: OperationRow) {
    const abort = new AbortController()
    let beaten = performance.now()
    const beat = setInterval(() => {
      const began = performance.now()
      // Cut off from the database for as long as the lease lasts: another process may have it by now.
      if (began - beaten > lease) abort.abort()
      store.operations.heartbeat(row.id, row.fence, lease).then(
        (mine) => (mine ? (beaten = began) : abort.abort()),
        () => undefined,
      )
    }, lease / 3)
    const ended = execute(row, abort.signal)
      .catch((error: unknown) =>
        log.error(
          { operation: row.id, kind: row.kind, err: error },
          'an operation could not be carried on; it will be taken up again',
        ),
      )
      .finally(() => {
        clearInterval(beat)
        live.delete(row.id)
        bodies.delete(row.id)
      })
    live.set(row.id, { abort, ended, waits: kinds.get(row.kind)?.waits ?? false })
  }

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
        // One life may then try it, and the next waits again; a start takes up at once only what has a holder.
        await store.operations.postpone(row.id, row.fence, longest, { attempts: row.fence + 1 - deaths, holder: null })
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
    let undoing = status === 'undoing'
    const run = (): Run<Intent, State> => ({
      ...works,
      id: row.id,
      input: row.input as Intents[Intent],
      state,
      signal,
      body: bodies.get(row.id),
      async say(text) {
        tell(row.id, text)
        await save({ progress: text })
      },
      async also(kind, input, target) {
        const { ownerId, actorId, actorName, asName, surface, command, requestId } = row
        const asker = { ownerId, actorId, actorName, asName, surface, command, requestId, target }
        const id = derivedId(row.id, kind, JSON.stringify(input))
        if (!(await store.operations.byId(id))) await beginAs(id, kind, input, asker)
        const ended = await wait(id, { signal })
        if (!ended?.reply) throw new DcmError('unavailable', 'DCM is stopping.')
        return ended.reply
      },
      async ended(id) {
        const ended = await wait(id, { signal })
        if (!ended?.reply) throw new DcmError('unavailable', 'DCM is stopping.')
        return ended.reply
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
          status = 'undoing'
          await save({ status, error, step })
          undoing = true
          break
        }
        state = { ...state, ...added }
        step++
        // The last step and the outcome are one write, so that the answer is never ahead of what is stored.
        if (step < operation.steps.length) await save({ state, step })
      }
      if (status === 'open') {
        const reply = operation.reply({ input: row.input as Intents[Intent], state, place: works.place })
        await finish({ step, status: 'done', reply })
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
      if (undoing && error)
        tell(row.id, {
          ...row,
          status: 'failed',
          reply: refusal(failure(error)),
        })
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

  async function wait(id: string, waiting: Parameters<Runner['wait']>[1]): Promise<Outcome | undefined> {
    const started = performance.now()
    const left = () => (waiting.ms ?? Infinity) - (performance.now() - started)
    let heard: OperationRow | undefined
    let wake: (() => void) | undefined
    const listener = (what: OperationRow | string) => {
      if (typeof what === 'string') waiting.progress?.(what, id)
      else heard = what
      if (heard) wake?.()
    }
    const mine = listeners.get(id) ?? new Set()
    listeners.set(id, mine.add(listener))
    const stop = () => wake?.()
    waiting.signal?.addEventListener('abort', stop)
    try {
      let said: string | null = null
      for (;;) {
        const row: OperationRow | undefined = heard ?? (await store.operations.byId(id))
        if (!row) return undefined
        if (row.status === 'done' || row.status === 'failed')
          return { row, state: row.status, reply: row.reply as Reply | null }
        if (row.progress && row.progress !== said && (said === null || !live.has(id)))
          waiting.progress?.((said = row.progress), id)
        if (left() <= 0 || waiting.signal?.aborted) return { row, state: 'running', reply: null }
        await new Promise<void>((resolve) => {
          // What runs here wakes us; what runs in another process is looked at now and then.
          const timer = setTimeout(resolve, Math.max(1, Math.min(left(), live.has(id) ? 5000 : 300)))
          wake = () => (clearTimeout(timer), resolve())
          if (heard) wake()
        })
      }
    } finally {
      waiting.signal?.removeEventListener('abort', stop)
      mine.delete(listener)
      if (mine.size === 0) listeners.delete(id)
    }
  }

  return {
    begin,
    consider,
    wait,
    async resume() {
      if (stopping || storesOnly) return
      for (const row of await store.operations.claim({ holder, ms: lease }, 20)) launch(row)
    },
    async stop(ms) {
      stopping = true
      for (const one of live.values()) if (one.waits) one.abort.abort()
      const all = Promise.all([...live.values()].map((one) => one.ended))
      await Promise.race([all, works.sleep(ms)])
      for (const one of live.values()) one.abort.abort()
      await Promise.race([all, works.sleep(2000)])
    },
    running: () => live.size,
  }
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
