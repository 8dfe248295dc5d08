import type { Random } from '../core/model/id.ts'
import { newId } from '../core/model/id.ts'
import { localName } from '../core/door/identify.ts'
import type { Host } from '../core/host/host.ts'
import { insertKey, readKey } from '../core/people/keys.ts'
import { violated } from '../core/store/db.ts'
import type { Store } from '../core/store/store.ts'

/** The instance id: made once, then in every engine name and label of this DCM. */
export const instanceOf = (store: Store, random: Random): Promise<string> =>
  store.site.settle('instance', newId(random).slice(0, 6))

/** Makes the member `admin`, whom the local command acts as, and enrols the configured key for them. */
export async function ensureAdmin(store: Store, random: Random, key: string | undefined): Promise<void> {
  const there = await store.people.byName(localName)
  if (there) return
  try {
    await store.tx(async (tx) => {
      const admin = await tx.people.insert({ id: newId(random), name: localName, role: 'admin' })
      if (key) await insertKey(tx, admin.id, readKey(key), random)
    })
  } catch (error) {
    // Another process on the same database was first.
    if (violated(error) !== 'people_name') throw error
  }
}

/** Memory that is never given out: a tenth, and half a gigabyte at least. */
const usualReserve = (memory: number) => Math.max(512 * 1024 ** 2, Math.floor(memory / 10))

/** Writes down what a host has, so that admission knows. @throws HostError `down` when its engine does not answer */
export async function measureHost(store: Store, host: Host): Promise<{ version: string }> {
  const { memory, cpus, version } = await host.engine.info()
  const row = await store.hosts.byId(host.id)
  await store.hosts.update(host.id, {
    memory,
    cpus: cpus * 1000,
    ...(row?.reserve ? {} : { reserve: usualReserve(memory) }),
  })
  return { version }
}
