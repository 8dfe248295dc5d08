import { isDeepStrictEqual } from 'node:util'
import { isFault } from '../host/fault.ts'
import type { Files } from '../host/files.ts'
import type { Host } from '../host/host.ts'
import type { Container } from '../model/container.ts'
import type { Seal } from '../secret/seal.ts'
import type { Store } from '../store/store.ts'

/** A moment as sshd(8) reads it in `expiry-time`: a guest's key ends there by itself, whether DCM runs or not. */
const expiry = (at: Date) => `expiry-time="${at.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z"`

/** The text of a container's authorized keys: its owner's, and until when its guests'. Empty while the owner is not active. */
async function authorizedKeys(store: Store, containerId: string): Promise<string> {
  return (await store.keys.into(containerId))
    .map(({ type, blob, expiresAt }) => `${expiresAt ? `${expiry(expiresAt)} ` : ''}${type} ${blob}\n`)
    .join('')
}

const sealedFor = (containerId: string, name: string) => `${containerId}/${name}`

/** Seals a secret for its row. */
export const sealSecret = (seal: Seal, containerId: string, name: string, value: string): string =>
  seal.seal(value, sealedFor(containerId, name))

/** Opens what `sealSecret` has sealed. @throws DcmError `unavailable` */
export const openSecret = (seal: Seal, containerId: string, name: string, sealed: string): string =>
  seal.open(sealed, sealedFor(containerId, name))

/** A container's secrets, opened, by name. */
async function openSecrets(deps: { store: Store; seal: Seal }, containerId: string): Promise<Record<string, string>> {
  const rows = await deps.store.secrets.of(containerId)
  return Object.fromEntries(rows.map((row) => [row.name, openSecret(deps.seal, containerId, row.name, row.sealed)]))
}

/** Makes a container's `/run/dcm` out of the database, as often as it takes. @returns its path on the host */
export async function placeRun(deps: { store: Store; seal: Seal; host: Host }, containerId: string): Promise<string> {
  const row = await deps.store.containers.row(containerId)
  if (!row) throw new Error(`no row for container ${containerId}`)
  return deps.host.files.placeRun({
    id: row.id,
    hostKey: deps.seal.open(row.hostKeySealed, row.id),
    authorizedKeys: await authorizedKeys(deps.store, row.id),
    secrets: await openSecrets(deps, row.id),
    volumes: (row.spec.volumes ?? []).map((volume) => volume.path),
  })
}

type Hosts = { store: Store; host(id: string): { files: Files } }

/** Writes what the database says, also when that changes in this very moment: what was written last is what was read last. */
async function sync<T>(read: () => Promise<T>, write: (value: T) => Promise<void>): Promise<void> {
  let value = await read()
  for (;;) {
    try {
      await write(value)
    } catch (error) {
      // Its folder is not made yet, or no more; it is made with what holds then.
      if (isFault(error, 'gone')) return
      throw error
    }
    const now = await read()
    if (isDeepStrictEqual(now, value)) return
    value = now
  }
}

/** Makes one container's authorized keys what the database says. */
export const syncKeys = (deps: Hosts, container: Pick<Container, 'id' | 'hostId'>): Promise<void> =>
  sync(
    () => authorizedKeys(deps.store, container.id),
    (text) => deps.host(container.hostId).files.writeKeys(container.id, text),
  )

/** Brings a member's keys to all of their containers at once, and to those that are shared with them. */
export async function spreadKeys(deps: Hosts, ownerId: string): Promise<void> {
  const containers = await deps.store.containers.visible(ownerId)
  await Promise.all(containers.map((container) => syncKeys(deps, container)))
}

/** Makes one container's secrets what the database says. */
export const syncSecrets = (deps: Hosts & { seal: Seal }, container: Pick<Container, 'id' | 'hostId'>): Promise<void> =>
  sync(
    () => openSecrets(deps, container.id),
    (secrets) => deps.host(container.hostId).files.writeSecrets(container.id, secrets),
  )
