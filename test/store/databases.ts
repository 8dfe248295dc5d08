import { randomBytes } from 'node:crypto'
import type { Person } from '../../src/core/model/person.ts'
import { openPostgres } from '../../src/core/store/open.ts'
import { openMemory } from '../setup/embedded.ts'
import type { ContainerRow } from '../../src/core/store/containers.ts'
import { createStore, type Store, type Tables } from '../../src/core/store/store.ts'
import { createDatabase } from '../setup/postgres.ts'

/** Both databases that DCM runs on; every test of the store holds for both. */
export const kinds = ['embedded', 'postgres'] as const

/** A store of its own, empty. */
export async function createEmpty(kind: (typeof kinds)[number]): Promise<AsyncDisposable & { store: Store }> {
  if (kind === 'embedded') {
    const store = createStore(await openMemory())
    return { store, [Symbol.asyncDispose]: () => store.close() }
  }
  const database = await createDatabase()
  const store = createStore(await openPostgres(database.url))
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store.close()
      await database[Symbol.asyncDispose]()
    },
  }
}

/** An id that nothing else has. */
export const fresh = (prefix = 'x'): string => `${prefix}${randomBytes(6).toString('hex')}`

const plenty = 2 ** 40
/** Caps that no test reaches by chance. */
export const caps = {
  containersCap: 1e6,
  runningCap: 1e6,
  memoryCap: plenty,
  cpusCap: 1e9,
  pidsCap: 1e9,
  imagesCap: 1e6,
  portsCap: 1e6,
}

/** A member with room for anything, or for what is said. */
export async function addPerson(store: Store, room: Partial<typeof caps> = {}): Promise<Person> {
  const id = fresh('p')
  const person = await store.people.insert({ id, name: id, role: 'member' })
  await store.people.setUsage(id, { ...caps, ...room })
  return person
}

/** A host with room for anything, or for what is said. */
export async function addHost(store: Store, memoryCap = plenty): Promise<string> {
  const id = fresh('h')
  await store.hosts.ensure(id)
  await store.hosts.update(id, { memory: memoryCap, cpus: 64_000, memoryCap })
  return id
}

/** A container's row, as an admission would insert it. */
export const containerOf = (
  ownerId: string,
  hostId: string,
  changes: Partial<ContainerRow> = {},
): Parameters<Tables['containers']['insert']>[0] => {
  const id = fresh('c')
  return {
    id,
    ownerId,
    hostId,
    name: id,
    engineName: `dcm-test-${id}`,
    imageEngineId: 'sha256:0',
    imageRef: 'debian:latest',
    memory: 512,
    cpus: 1000,
    pids: 64,
    spec: { env: [], command: [], restart: { name: 'no' }, caps: [], devices: [], seccomp: null },
    ssh: true,
    fingerprint: 'SHA256:x',
    hostKey: 'ssh-ed25519 x',
    hostKeySealed: 'v1.x',
    ...changes,
  }
}

/** An image's row. */
export const imageOf = (
  ownerId: string | null,
  hostId: string,
  changes: { ref?: string } = {},
): Parameters<Tables['images']['insert']>[0] => {
  const id = fresh('i')
  return {
    id,
    ownerId,
    hostId,
    ref: `${id}:latest`,
    engineId: `sha256:${id}`,
    engineRef: `dcm-test/${id}`,
    size: 100,
    layers: 1,
    ssh: true,
    ...changes,
  }
}

/** An operation's row. */
export const operationOf = (
  changes: { subject?: string; ownerId?: string } = {},
): Parameters<Tables['operations']['insert']>[0] => ({
  id: fresh('o'),
  kind: 'start',
  subject: fresh('container:'),
  surface: 'http',
  command: 'start',
  requestId: fresh('r'),
  input: { containerId: 'c' },
  ...changes,
})

/** What was refused, as the store's own word for it. */
export async function refusalOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('it was not refused')
}
