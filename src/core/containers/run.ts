import { type Files, type Host, HostError } from '../host/host.ts'
import type { Container } from '../model/container.ts'
import type { Seal } from '../secret/seal.ts'
import type { Store } from '../store/store.ts'

/** The text of a member's authorized keys: type and key, nothing else. Empty while they are not active. */
export async function authorizedKeys(store: Store, ownerId: string): Promise<string> {
  const person = await store.people.byId(ownerId)
  if (person?.state !== 'active') return ''
  return (await store.keys.of(ownerId)).map((key) => `${key.type} ${key.blob}\n`).join('')
}

/** Makes a container's `/run/dcm` out of the database, as often as it takes. @returns its path on the host */
export async function placeRun(deps: { store: Store; seal: Seal; host: Host }, containerId: string): Promise<string> {
  const row = await deps.store.containers.row(containerId)
  if (!row) throw new Error(`no row for container ${containerId}`)
  return deps.host.files.placeRun({
    id: row.id,
    hostKey: deps.seal.open(row.hostKeySealed, row.id),
    authorizedKeys: await authorizedKeys(deps.store, row.ownerId),
  })
}

type Hosts = { store: Store; host(id: string): { files: Files } }

/**
 * Makes one container's authorized keys what the database says, also when that changes in this very moment: what was
 * written last is what was read last.
 */
export async function syncKeys(deps: Hosts, container: Pick<Container, 'id' | 'ownerId' | 'hostId'>): Promise<void> {
  let text = await authorizedKeys(deps.store, container.ownerId)
  for (;;) {
    try {
      await deps.host(container.hostId).files.writeKeys(container.id, text)
    } catch (error) {
      // Its folder is not made yet, or no more; it is made with the keys of then.
      if (error instanceof HostError && error.fault === 'gone') return
      throw error
    }
    const now = await authorizedKeys(deps.store, container.ownerId)
    if (now === text) return
    text = now
  }
}

/** Brings a member's keys to all of their containers at once. */
export async function spreadKeys(deps: Hosts, ownerId: string): Promise<void> {
  await Promise.all((await deps.store.containers.of(ownerId)).map((container) => syncKeys(deps, container)))
}
