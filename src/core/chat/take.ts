import { newId } from '../model/id.ts'
import { formatVisitor, type Visitor } from '../model/visitor.ts'
import { explain } from '../operation/explain.ts'
import type { Works } from '../operation/define.ts'
import type { Log } from '../model/log.ts'
import { DcmError } from '../reply/error.ts'
import type { OutboxRow } from '../store/outbox.ts'
import { sealAddress } from './letter.ts'
import type { ChatFile } from './file.ts'
import type { Errand, Input } from './outlet.ts'

/** How long a row of the outbox is held by whoever works on it, from one heartbeat to the next. */
export const lease = 20_000

/** A call as it is stored. */
export type Called = { visitor: Visitor; input: Input; channel?: string; files?: ChatFile[] }

export type TakeDeps = {
  works: Works
  holder: string
  log: Log
  /** Milliseconds that a call may take to be stored. */
  within: number
  over: AbortSignal
  /** Works on a row that was stored just now. @returns false where this process does not */
  launch(row: OutboxRow): boolean
  /** Hears of work that goes on by itself. */
  background?: ((work: Promise<unknown>) => void) | undefined
}

/** Makes what stores calls. A row is this process's until it is sure that it is stored, and so is what its caller is told. */
export function createTake({ works, holder, log, within, over, launch, background }: TakeDeps) {
  const { store, seal, random } = works
  /** Calls that were answered with «nothing was done» and must not be carried out if they show up after all. */
  const given = new Set<string>()

  async function take(errand: Errand): Promise<'taken' | 'known'> {
    const id = newId(random)
    const { visitor, key, address } = errand
    const { input, channel, files } = errand
    const call: Called = { visitor, input, ...(channel ? { channel } : {}), ...(files ? { files } : {}) }
    const row = {
      id,
      platform: visitor.platform,
      key,
      visitor: formatVisitor(visitor),
      address: sealAddress(seal, id, address),
      call: seal.seal(JSON.stringify(call), `call/${id}`),
      status: 'called' as const,
    }
    let late = false
    const storing = store.tx(async (tx) => {
      const stored = await tx.outbox.insert(row, { holder, ms: lease })
      if (late) throw new DcmError('unavailable', 'It took too long to store.')
      return stored
    })
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true
        reject(
          new DcmError(
            'unavailable',
            'DCM could not take that down in time, so nothing was done; try again in a minute.',
          ),
        )
      }, within)
    })
    try {
      const stored = await Promise.race([storing, deadline])
      if (!stored) return 'known'
      if (!launch(stored))
        await store.outbox
          .release(id)
          .catch((err: unknown) => log.warn({ message: id, err }, 'a call waits until its lease is over'))
      return 'taken'
    } catch (error) {
      // A commit whose answer was lost may still have happened: then it is taken back before anyone sees it.
      given.add(id)
      const forgetting = forget(id, storing)
      background?.(forgetting)
      const said = explain(error)
      throw new DcmError('unavailable', 'DCM could not take that down, so nothing was done; try again in a minute.', {
        cause: said.cause ?? said,
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Takes a call back of which the caller was told that nothing was done. */
  async function forget(id: string, storing: Promise<unknown>): Promise<void> {
    await storing.catch(() => undefined)
    for (let tries = 0; tries < 100 && !over.aborted; tries++) {
      const gone = await store.outbox.drop(id).then(
        () => true,
        () => false,
      )
      if (gone) break
      await works.sleep(5000)
    }
    given.delete(id)
  }

  return { take, isTakenBack: (id: string) => given.has(id) }
}
