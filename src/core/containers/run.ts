import type { Files, Host } from '../host/host.ts'
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

/** Brings a member's keys to all of their containers at once. */
export async function spreadKeys(deps: { store: Store; host(id: string): { files: Files } }, ownerId: string): Promise<void> {
  const text = await authorizedKeys(deps.store, ownerId)
  await Promise.all(
    (await deps.store.containers.of(ownerId)).map((container) => deps.host(container.hostId).files.writeKeys(container.id, text)),
  )
}
