import { setTimeout } from 'node:timers/promises'
import { HostError } from '../host/fault.ts'
import type { Works } from '../operation/define.ts'
import type { Store } from '../store/store.ts'

/** How long a call waits for a storage to be measured, which takes a folder with very many files minutes. */
const patience = 2000

/**
 * Sums what a member's disk is used by and stores it: their storage as just measured, layers and images as they are known.
 * `at` is when the layers were. @returns bytes
 */
export async function sumUse(store: Store, ownerId: string, storage: number, at?: Date): Promise<number> {
  return store.tx(async (tx) => {
    // Under the lock, or an image that is being recorded would be counted in one of the two sums only.
    await tx.people.lockUsage(ownerId)
    const used = storage + (await tx.containers.layerBytes(ownerId)) + (await tx.images.bytes(ownerId))
    await tx.people.setUsage(ownerId, { disk: used, ...(at ? { diskAt: at } : {}) })
    return used
  })
}

const under = new Map<string, Promise<unknown>>()

/**
 * Brings what is known of a member's disk up to date, before it is shown or something is admitted by it. What cannot be
 * measured, or not in time, stays as it was last measured.
 */
export async function freshUse(works: Pick<Works, 'store' | 'host' | 'settings'>, ownerId: string): Promise<void> {
  const measure = async () => {
    const storage = await works.host(works.settings.hostId).files.storage(ownerId)
    await sumUse(works.store, ownerId, storage?.used ?? 0)
  }
  // One at a time for each member, so that calls in a row do not pile up on a storage that takes long.
  const measuring =
    under.get(ownerId) ??
    measure()
      .catch((error: unknown) => {
        if (!(error instanceof HostError)) throw error
      })
      .finally(() => under.delete(ownerId))
  under.set(ownerId, measuring)
  measuring.catch(() => undefined)
  await Promise.race([measuring, setTimeout(patience, undefined, { ref: false })])
}
