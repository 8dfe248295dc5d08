import type { Intent, Intents } from '../command/intents.ts'
import { HostError } from '../host/fault.ts'
import { derivedId, newId } from '../model/id.ts'
import type { Log } from '../model/log.ts'
import { DcmError } from '../reply/error.ts'
import type { OperationRow } from '../store/operations.ts'
import type { Tables } from '../store/store.ts'
import { createAdmission } from './admission.ts'
import type { Asker } from './asker.ts'
import type { Operation, Works } from './define.ts'
import { type Beside, createExecute } from './execute.ts'
import { explain } from './explain.ts'
import { createWaiters, type Outcome, type Waiting } from './waiters.ts'

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
  consider<K extends Intent>(kind: K, input: Intents[K], asker: Asker): Promise<void>
  /** Waits until it has ended, its time has passed or `signal` says so. @returns undefined when there is no such operation */
  wait(id: string, waiting: Waiting): Promise<Outcome | undefined>
  /** Takes over what other processes left; call it regularly. */
  resume(): Promise<void>
  /** Stops taking on, lets steps under way end for up to `ms`, and leaves the rest for the next start. */
  stop(ms: number): Promise<void>
  running(): number
}

const lease = 15_000

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
  const admission = createAdmission({ works, kinds, leased: storesOnly ? undefined : { holder, ms: lease } })
  const { tell, wait } = createWaiters(store, (id) => live.has(id))
  const execute = createExecute({ works, kinds, log, tell, beside })
  let stopping = false

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
    const rows = await admission.admit(id, kind, input, asker, also)
    if (!storesOnly) for (const row of rows) launch(row)
    return id
  }

  function beside(row: OperationRow, signal: AbortSignal): Beside {
    async function ended(id: string) {
      const outcome = await wait(id, { signal })
      if (!outcome?.reply) throw new DcmError('unavailable', 'DCM is stopping.')
      return outcome.reply
    }
    return {
      body: bodies.get(row.id),
      async also(kind, input, target) {
        const { ownerId, actorId, actorName, asName, surface, address, fingerprint, command, requestId } = row
        const who = { ownerId, actorId, actorName, asName, surface, address, fingerprint }
        const id = derivedId(row.id, kind, JSON.stringify(input))
        if (!(await store.operations.byId(id))) await beginAs(id, kind, input, { ...who, command, requestId, target })
        return ended(id)
      },
      ended,
    }
  }

  function launch(row: OperationRow) {
    // Its lease ran out under this very process: the run before is overtaken like any other's.
    live.get(row.id)?.abort.abort()
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
        if (live.get(row.id)?.abort !== abort) return
        live.delete(row.id)
        bodies.delete(row.id)
      })
    live.set(row.id, { abort, ended, waits: kinds.get(row.kind)?.waits ?? false })
  }

  return {
    begin,
    consider: admission.consider,
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
