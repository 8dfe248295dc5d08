import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Container } from '../model/container.ts'
import { formatSize } from '../model/units.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { diskLimit } from './wish.ts'

/** How long nothing may move in a transfer, and how long all of it may take. */
export const stall = 60_000
export const longest = 3_600_000
/** Bytes of one transfer, whatever the quota. */
export const largest = 64 * 2 ** 30

/** How many bytes may come before the disk quota of the container's owner is used up, as last measured. @throws DcmError `limited` */
export async function roomOf(works: Works, container: Container): Promise<number> {
  const [limit, usage, storage] = await Promise.all([
    diskLimit(works, container.ownerId),
    works.store.people.usage(container.ownerId),
    works.host(container.hostId).files.storage(container.ownerId),
  ])
  // All of it is measured now and then; of that, the storage can be asked at once.
  const used = Math.max(usage?.disk ?? 0, storage?.used ?? 0)
  if (used >= limit)
    throw new DcmError(
      'limited',
      `${formatSize(used)} of ${formatSize(limit)} of disk are used: remove files in /storage, an image or a container first.`,
      { try: 'df' },
    )
  return Math.min(largest, limit - used)
}

/** Hands on all that comes, at the slower one's pace. @returns its size @throws DcmError */
export async function pour(
  source: AsyncIterator<Uint8Array>,
  input: Writable,
  room: number,
  ended: () => boolean,
  told: Promise<void>,
): Promise<number> {
  const until = performance.now() + longest
  for (let size = 0; ;) {
    if (performance.now() > until)
      throw new DcmError('limited', 'That took longer than an hour, so it was given up: copy less at once.')
    const got = await Promise.race([within(nextOf(source), stall), told])
    // It has all that it wanted, or has failed: its own words say which.
    if (!got || ended()) return size
    if (got.done) return size
    if ((size += got.value.byteLength) > room)
      throw new DcmError(
        'limited',
        `There is room for ${formatSize(room)} more, and that is larger: remove files in /storage, an image or a container first.`,
        { try: 'df' },
      )
    if (!input.write(got.value)) await Promise.race([within(once(input, 'drain'), stall), told])
  }
}

/** The next piece. A sender that breaks off is the sender's affair and no fault of DCM. */
const nextOf = (source: AsyncIterator<Uint8Array>) =>
  source.next().catch((cause: unknown) => {
    if (cause instanceof DcmError) throw cause
    throw new DcmError('conflict', 'The transfer broke off before its end.', { cause })
  })

/** @throws DcmError when it takes longer */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DcmError('conflict', `Nothing moved for ${ms / 1000} s, so the transfer was given up.`)),
      ms,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
