import { createHash } from 'node:crypto'
import type { Reply } from '../reply/reply.ts'
import { DcmError } from '../reply/error.ts'
import type { Seal } from '../secret/seal.ts'
import type { Store } from '../store/store.ts'

/** A call that carries an Idempotency-Key: whose, and a digest of what it asks. */
export type Keyed = { ownerId: string; key: string; digest: string }

/** @returns a digest that is equal for equal calls only */
export const digestOf = (call: unknown): string => createHash('sha256').update(JSON.stringify(call)).digest('hex')

/** How long the first call of a key may take before another one may do its work. */
const abandoned = 60_000

/** Remembers what calls with an Idempotency-Key were answered, so that a repeat changes nothing and gets the same. */
export function createRepeats(deps: { store: Store; seal: Seal; sleep(ms: number): Promise<void> }) {
  const { store, seal } = deps
  const rowId = (keyed: Keyed) => `${keyed.ownerId}/${keyed.key}`
  return {
    /**
     * @returns `first` when this call is to be carried out; else what the first one was answered or began
     * @throws DcmError `conflict` when the key was used for something else, or its first call is still under way
     */
    async claim(keyed: Keyed, patience: number): Promise<{ first: true } | { reply: Reply } | { operationId: string }> {
      const started = performance.now()
      for (;;) {
        const row = await store.calls.claim(keyed, abandoned)
        if (!row) return { first: true }
        if (row.digest !== keyed.digest)
          throw new DcmError('conflict', 'That Idempotency-Key was used for another request; use a new one.')
        if (row.reply) return { reply: JSON.parse(seal.open(row.reply, rowId(keyed))) as Reply }
        if (row.operationId) return { operationId: row.operationId }
        if (performance.now() - started > patience)
          throw new DcmError(
            'conflict',
            'The first request with that Idempotency-Key is still under way; ask again in a moment.',
          )
        await deps.sleep(50)
      }
    },
    async settle(keyed: Keyed, reply: Reply): Promise<void> {
      // What was refused before anything happened may be tried again under the same key.
      if (reply.error && !reply.operation && !partly(reply)) return store.calls.forget(keyed.ownerId, keyed.key)
      // Of several targets each keeps what it began under a key of its own, so a repeat asks them again.
      if (reply.operation?.state === 'running' && Array.isArray(reply.data))
        return store.calls.forget(keyed.ownerId, keyed.key)
      if (reply.file || reply.operation?.state === 'running') return
      await store.calls.settle(keyed.ownerId, keyed.key, { reply: seal.seal(JSON.stringify(reply), rowId(keyed)) })
    },
  }
}

/** Whether some of several targets were done: to do them again would be a repeat. */
const partly = (reply: Reply): boolean =>
  Array.isArray(reply.data) && reply.data.some((one: { error?: unknown }) => one.error === null)
