import type { Intent, Intents } from '../command/intents.ts'
import { newId } from '../model/id.ts'
import { DcmError } from '../reply/error.ts'
import { violated } from '../store/db.ts'
import type { OperationRow } from '../store/operations.ts'
import type { Tables } from '../store/store.ts'
import type { Asker } from './asker.ts'
import type { Operation, Works } from './define.ts'

/**
 * What makes an intent an operation: one transaction that admits it, reserves what it needs and stores it.
 * @param leased to whom and for how long in milliseconds; absent, whoever claims it first has it
 */
export function createAdmission(deps: {
  works: Works
  kinds: ReadonlyMap<string, Operation>
  leased: { holder: string; ms: number } | undefined
}) {
  const { works, kinds, leased } = deps
  const { store } = works

  const busy = (target: string | null, other: OperationRow | undefined) => {
    const doing = other ? (kinds.get(other.kind)?.doing ?? 'being changed') : 'being changed'
    return new DcmError('conflict', `${target ?? 'It'} is ${doing}; try again when that has ended.`)
  }

  /**
   * Stores an operation under an id, and whichever its admission admits with it. `also` runs in the same transaction.
   * @throws DcmError `conflict` while something else is being done to the same thing, and whatever admission refuses
   */
  async function admit<K extends Intent>(
    id: string,
    kind: K,
    input: Intents[K],
    asker: Asker,
    also?: (tx: Tables, id: string) => Promise<void>,
  ): Promise<OperationRow[]> {
    if (asker.ownerId) await kinds.get(kind)!.before?.(works, asker.ownerId)
    // What is being admitted: the operation itself, and in the end whichever it has admitted with it.
    let trying: { target: string | null; subject: string } = { target: asker.target, subject: '' }
    try {
      return await store.tx(async (tx) => {
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
    } catch (error) {
      if (violated(error) !== 'operations_subject') throw error
      throw busy(trying.target, await store.operations.openOn(trying.subject))
    }
  }

  return {
    admit,
    /** Goes as far as `admit` does and takes all of it back. @throws whatever that would */
    async consider<K extends Intent>(kind: K, input: Intents[K], asker: Asker): Promise<void> {
      const taken = new Error('everything is taken back')
      const back = () => Promise.reject(taken)
      await admit(newId(works.random), kind, input, asker, back).catch((error: unknown) => {
        if (error !== taken) throw error
      })
    },
  }
}
