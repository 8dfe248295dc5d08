import type { Context } from '../command/context.ts'
import { readGrants, siteQuota } from '../containers/admit.ts'
import { type Quota, resources } from '../model/quota.ts'
import { floorSize } from '../model/units.ts'
import { effective } from '../policy/quota.ts'
import { DcmError } from '../reply/error.ts'
import type { Store } from '../store/store.ts'
import { lockPresent } from './present.ts'

/** Largest amount that a quota may hold: what the database's integer columns do, and far beyond any machine. */
const most: Quota = {
  containers: 10_000,
  running: 10_000,
  memory: 2 ** 50,
  cpus: 10_000_000,
  pids: 10_000_000,
  images: 10_000,
  ports: 10_000,
  disk: 2 ** 60,
}

/** @throws DcmError `usage` for an amount that no machine has */
export function checkRange(changes: Partial<Quota>): void {
  for (const resource of resources)
    if ((changes[resource] ?? 0) > most[resource])
      throw new DcmError('usage', `A quota of ${resource} is at most ${most[resource]}.`)
}

/**
 * Quotas: what holds for whom, and what the hosts have to give.
 * @param deps.measure brings what is known of a member's use of disk up to date
 */
export function createQuota({
  store,
  measure,
}: {
  store: Store
  measure(ownerId: string): Promise<void>
}): Context['quota'] {
  return {
    async of({ id, name }) {
      await measure(id)
      const [person, usage, grants, site, groups] = await Promise.all([
        store.people.byId(id),
        store.people.usage(id),
        store.grants.of(id),
        siteQuota(store),
        store.groups.of(id),
      ])
      if (!person || !usage) throw new DcmError('not_found', `${name} is no longer here.`)
      const limits = effective({ site, groups, member: person.quota, grants: readGrants(grants) })
      return resources.map((resource) => ({ resource, used: usage[resource], ...limits[resource] }))
    },
    site: () => siteQuota(store),
    async set(person, changes) {
      checkRange(changes)
      await store.tx(async (tx) => {
        const { quota } = await lockPresent(tx, person.id)
        await tx.people.update(person.id, { quota: { ...quota, ...changes } })
      })
    },
    unset: (person, which) =>
      store.tx(async (tx) => {
        const quota = { ...(await lockPresent(tx, person.id)).quota }
        for (const resource of which) delete quota[resource]
        await tx.people.update(person.id, { quota })
      }),
    async setSite(changes) {
      checkRange(changes)
      await store.site.merge('quota', changes)
    },
    async capacity() {
      return (await store.hosts.list()).map((host) => ({
        host: host.id,
        reachable: host.reachable,
        seenAt: host.seenAt,
        memory: { total: host.memory, reserve: host.reserve, admitted: host.memoryUsed },
        cpus: { total: host.cpus, admitted: host.cpusUsed },
      }))
    },
    setReserve: (memory) =>
      store.tx(async (tx) => {
        for (const { id } of await tx.hosts.list()) {
          const host = await tx.hosts.lock(id)
          if (!host) continue
          if (host.memory > 0 && memory >= host.memory)
            throw new DcmError('usage', `Host ${id} has ${floorSize(host.memory)} of memory; keep back less than that.`)
          // What is given out already stays: a larger reserve only holds back what comes next.
          await tx.hosts.update(id, { reserve: memory, memoryCap: Math.max(host.memory - memory, host.memoryUsed, 0) })
        }
      }),
  }
}
