import { createHmac } from 'node:crypto'
import type { Place } from '../core/model/place.ts'
import type { Store } from '../core/store/store.ts'

/** What a worker tells processes that only answer HTTP: where members reach the machine, and which key secrets are sealed with. */
type Told = Pick<Place, 'publicHost' | 'bindHost'> & { ssh: NonNullable<Place['ssh']> | null; key: string }

const name = 'worker'

/** Tells keys apart and says nothing of them. */
const mark = (key: Buffer) => createHmac('sha256', key).update('dcm-worker').digest('hex').slice(0, 16)

/** Writes down what this worker is. */
export const tellWorker = (store: Store, { publicHost, bindHost, ssh = null }: Place, key: Buffer): Promise<void> =>
  store.site.set(name, { publicHost, bindHost, ssh, key: mark(key) } satisfies Told)

/**
 * What the worker has written down; nothing before the first one has started.
 * @throws Error when it seals with another key
 */
export async function readWorker(store: Store, key: Buffer): Promise<Omit<Told, 'key'> | undefined> {
  const told = await store.site.get<Told>(name)
  if (!told) return undefined
  const { key: theirs, ...rest } = told
  if (theirs !== mark(key))
    throw new Error('DCM_SECRET_KEY is not the key of the worker on this database; set the same in both.')
  return rest
}
