import type { Reply } from '../reply/reply.ts'
import type { OperationRow } from '../store/operations.ts'
import type { Works } from './define.ts'

/** How an operation stands. */
export type Outcome = { row: OperationRow; state: 'running' | 'done' | 'failed'; reply: Reply | null }

/** How one waits: `wait` milliseconds at most (for ever when absent), told of progress, until `signal`. Neither ends the operation. */
export type Waiting = { wait?: number; progress?(text: string, operationId: string): void; signal?: AbortSignal }

/**
 * Those who wait for operations, wherever these run.
 * @param here whether an operation runs in this process, which then tells of it by `tell`
 */
export function createWaiters(store: Works['store'], here: (id: string) => boolean) {
  const listeners = new Map<string, Set<(row: OperationRow | string) => void>>()

  return {
    /** Tells those who wait for it: a text of progress, or its row when it has ended. */
    tell: (id: string, what: OperationRow | string): void => listeners.get(id)?.forEach((listener) => listener(what)),

    /** Waits for its end. @returns undefined when there is no such operation */
    async wait(id: string, waiting: Waiting): Promise<Outcome | undefined> {
      const started = performance.now()
      const left = () => (waiting.wait ?? Infinity) - (performance.now() - started)
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
          if (row.progress && row.progress !== said && (said === null || !here(id)))
            waiting.progress?.((said = row.progress), id)
          if (left() <= 0 || waiting.signal?.aborted) return { row, state: 'running', reply: null }
          await new Promise<void>((resolve) => {
            // What runs here wakes us; what runs in another process is looked at now and then.
            const timer = setTimeout(resolve, Math.max(1, Math.min(left(), here(id) ? 5000 : 300)))
            wake = () => (clearTimeout(timer), resolve())
            if (heard) wake()
          })
        }
      } finally {
        waiting.signal?.removeEventListener('abort', stop)
        mine.delete(listener)
        if (mine.size === 0) listeners.delete(id)
      }
    },
  }
}
