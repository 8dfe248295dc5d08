import type { Need } from '../command/define.ts'
import type { Container } from '../model/container.ts'
import { pause } from '../operation/pause.ts'
import { mayTouch } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import type { Store } from '../store/store.ts'

/** How often it is looked whether what a guest has begun may go on, in milliseconds. */
const each = 1000

/** Whether somebody may still do what `need` says to a container: what they began may outlast what let them. */
export async function stillMay(
  { store }: { store: Pick<Store, 'people' | 'containers'> },
  personId: string,
  need: Need,
  container: Pick<Container, 'id' | 'ownerId'>,
): Promise<boolean> {
  if (personId === container.ownerId) return true
  const [person, now] = await Promise.all([store.people.byId(personId), store.containers.byId(container.id)])
  return person?.state === 'active' && now !== undefined && mayTouch({ person, surface: 'system' }, need, now)
}

/** What is said to a guest whose share has ended in the middle of something. */
export const sharedNoMore = ({ owner, name }: Pick<Container, 'owner' | 'name'>): DcmError =>
  new DcmError('denied', `${owner}/${name} is not shared with you any more, so what you did in it was ended.`)

/** Bytes that go into a container or come out of it, for as long as `personId` may enter it. @throws DcmError `denied` */
export async function* whileEntering<T>(
  works: { store: Pick<Store, 'people' | 'containers'> },
  personId: string,
  container: Pick<Container, 'id' | 'ownerId' | 'owner' | 'name'>,
  pieces: AsyncIterable<T>,
): AsyncGenerator<T> {
  let looked = performance.now()
  for await (const piece of pieces) {
    if (performance.now() - looked > each) {
      if (!(await stillMay(works, personId, 'enter', container))) throw sharedNoMore(container)
      looked = performance.now()
    }
    yield piece
  }
}

/**
 * Looks every second until `over` aborts.
 * @returns true once `personId` may not enter the container any more; false when it was over before
 */
export async function shutOut(
  works: { store: Pick<Store, 'people' | 'containers'> },
  personId: string,
  container: Pick<Container, 'id' | 'ownerId'>,
  over: AbortSignal,
): Promise<boolean> {
  while (!over.aborted && personId !== container.ownerId) {
    // A database that does not answer for a moment says nothing about the share.
    if (!(await stillMay(works, personId, 'enter', container).catch(() => true))) return !over.aborted
    await pause(each, over)
  }
  return false
}
