import type { Context } from '../command/context.ts'
import type { Container } from '../model/container.ts'
import { personName } from '../model/name.ts'
import { DcmError } from '../reply/error.ts'
import type { Store, Tables } from '../store/store.ts'

export type SharesDeps = {
  store: Store
  /** Brings a container's keys up to date. */
  onShare(container: Pick<Container, 'id' | 'ownerId' | 'hostId'>): Promise<void>
}

/** Members with whom one container may be shared. */
const most = 50

/** Has a guest's connections through the SSH door closed that are in a container. */
export async function dismiss(
  tx: Pick<Tables, 'sessions'>,
  container: Pick<Container, 'id' | 'owner' | 'name'>,
  guestId: string,
): Promise<void> {
  const theirs = (await tx.sessions.list()).filter(
    (one) => one.ownerId === guestId && one.inside.includes(container.id),
  )
  for (const { id } of theirs)
    await tx.sessions.end(id, `${container.owner}/${container.name} is not shared with you any more.`)
}

/** With whom members share their containers. */
export function createShares({
  store,
  onShare,
}: SharesDeps): (caller: { person: { id: string } }) => Context['shares'] {
  const find = async (name: string) => {
    const guest = personName.test(name) ? await store.people.byName(name) : undefined
    if (guest && guest.state !== 'leaving') return guest
    throw new DcmError('not_found', `There is no member called ${name.slice(0, 40)}.`, { try: 'shares' })
  }
  const guestOf = async (container: Container, name: string) => {
    const guest = await find(name)
    if (guest.id === container.ownerId)
      throw new DcmError('conflict', `${container.name} is ${guest.name}'s own already.`)
    return guest
  }
  return (caller) => ({
    check: async (container, name) => void (await guestOf(container, name)),
    async add(container, name, level, lives) {
      const guest = await guestOf(container, name)
      const row = await store.tx(async (tx) => {
        await tx.people.lockUsage(container.ownerId)
        if (
          (await tx.shares.countOf(container.id)) >= most &&
          !container.shares.some((share) => share.guestId === guest.id)
        )
          throw new DcmError(
            'limited',
            `${container.name} is shared with ${most} members already; end one with unshare.`,
            { try: 'shares' },
          )
        // Less than before: what they opened with more is closed.
        if (level === 'view') await dismiss(tx, container, guest.id)
        return tx.shares.put({ containerId: container.id, guestId: guest.id, level }, lives)
      })
      await onShare(container)
      return { container: container.name, owner: container.owner, guest: guest.name, level, expiresAt: row.expiresAt }
    },
    list: () => store.shares.about(caller.person.id),
    async remove(container, name) {
      const guest = await find(name)
      // At once: where the keys cannot be written, who is inside has to go all the same.
      await store.tx(async (tx) => {
        if (!(await tx.shares.remove(container.id, guest.id)))
          throw new DcmError('not_found', `${container.name} is not shared with ${guest.name}.`, { try: 'shares' })
        await dismiss(tx, container, guest.id)
      })
      await onShare(container)
    },
  })
}
