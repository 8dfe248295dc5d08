import type { Container } from '../model/container.ts'
import type { Store } from '../store/store.ts'
import { DcmError } from '../reply/error.ts'

/** Kinds of operation that live and die with their container, whose id is theirs. */
const within = new Set(['build', 'run'])

/** Whether a build or a job is under way in a container, which nothing else is done to meanwhile. */
export async function atWork(store: Pick<Store, 'operations'>, container: Pick<Container, 'id'>): Promise<boolean> {
  const open = await store.operations.openOn(`container:${container.id}`)
  return open !== undefined && within.has(open.kind)
}

/** Looks whether somebody has ended what runs in an operation's container. @throws DcmError `conflict` that says who */
export async function goesOn({ store, id }: { store: Pick<Store, 'containers'>; id: string }): Promise<void> {
  const trouble = (await store.containers.byId(id))?.trouble
  if (trouble) throw new DcmError('conflict', trouble)
}
