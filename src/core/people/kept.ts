import type { Context } from '../command/context.ts'
import type { Files } from '../host/files.ts'
import { explain } from '../operation/explain.ts'
import { DcmError } from '../reply/error.ts'
import type { Store, Tables } from '../store/store.ts'

/** Whose storage was kept, and when: their id is never used again, their name may be. */
type Leavers = Record<string, { name: string; at: string }>

/** Notes that a member's storage stays when they go. Safe to repeat. */
export const noteKept = (tx: Pick<Tables, 'site'>, id: string, name: string, at: Date): Promise<void> =>
  tx.site.merge('kept', { [id]: { name, at: at.toISOString() } satisfies Leavers[string] })

/** Storages that are on a host's disk and no member's any more. */
export function createKept({ store, files }: { store: Store; files(): Files }): Context['kept'] {
  async function list(): Promise<Awaited<ReturnType<Context['kept']['list']>>> {
    // The disk first: whoever is added meanwhile is then among the members.
    const { storages } = await files().list()
    const [people, leavers] = [await store.people.list(), await store.site.get<Leavers>('kept')]
    const members = new Set(people.map((one) => one.id))
    const kept = await Promise.all(
      storages
        .filter((id) => !members.has(id))
        .map(async (id) => ({
          id,
          name: leavers?.[id]?.name ?? null,
          since: leavers?.[id] ? new Date(leavers[id].at) : null,
          size: (await files().storage(id))?.used ?? 0,
        })),
    )
    return kept.toSorted((a, b) => (a.name ?? '').localeCompare(b.name ?? '') || a.id.localeCompare(b.id))
  }
  const told = <T>(work: Promise<T>) => work.catch((error: unknown) => Promise.reject(explain(error)))

  return {
    list: () => told(list()),
    async find(which) {
      const all = await told(list())
      const found = all.filter((one) => one.id === which || one.name === which)
      if (found.length > 1)
        throw new DcmError(
          'conflict',
          `${found.length} members called ${which} left a storage: say which by its id, ${found.map((one) => one.id).join(' or ')}.`,
          { try: 'user kept' },
        )
      if (!found[0])
        throw new DcmError('not_found', `No storage of a ${which} who is gone is kept.`, { try: 'user kept' })
      return found[0]
    },
    remove: (id) => told(files().removeStorage(id)),
  }
}
