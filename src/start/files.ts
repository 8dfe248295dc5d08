import { realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Store } from '../core/store/store.ts'

/**
 * Where a host's run folders and storages are. Several processes on one database have data folders of their own, but a
 * member has one storage: it is the folder of whoever came first, for as long as that is there.
 */
export async function filesFolder(store: Store, hostId: string, dataDir: string): Promise<string> {
  const own = realpathSync(dataDir)
  const key = `files:${hostId}`
  const settled = await store.site.settle(key, own)
  if (settled === own) return own
  const there = await stat(settled).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (there) return settled
  await store.site.set(key, own)
  return own
}
