import { formatSize } from '../model/units.ts'
import { isFault } from '../host/fault.ts'
import type { Container } from '../model/container.ts'
import { sumUse } from '../containers/disk.ts'
import { diskLimit } from '../containers/wish.ts'
import { systemAsker } from '../operation/asker.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { noticeOf } from '../people/notices.ts'
import type { Upkeep } from './reconcile.ts'

/** Share of a disk that stays free for the host itself. */
const keepFree = 0.05

/** Measures what each member's storage, layers and images take, and acts before the host's own reserve is gone. */
export async function measureDisk(upkeep: Upkeep, hostId: string): Promise<void> {
  const { works, log } = upkeep
  const { store } = works
  const host = works.host(hostId)
  await store.containers.setLayers(await host.engine.layerSizes())
  const over: { id: string; name: string; used: number; limit: number }[] = []
  for (const person of await store.people.list()) {
    const [limit, storage] = await Promise.all([
      diskLimit(works, person.id),
      // Nobody's folder, however deep or strange, keeps the others' from being measured or the disk from being saved.
      host.files.storage(person.id).catch((err: unknown) => {
        if (isFault(err, 'down')) throw err
        log.warn({ owner: person.id, err }, 'a storage could not be measured')
        return 'unknown' as const
      }),
    ])
    // What cannot be measured is taken for full, so that hiding files gains nothing.
    const used = await sumUse(store, person.id, storage === 'unknown' ? limit : (storage?.used ?? 0), works.now())
    if (used > limit) over.push({ id: person.id, name: person.name, used, limit })
  }
  const free = await host.files.free()
  if (free.engine < free.engineTotal * keepFree || free.data < free.dataTotal * keepFree)
    await relieve(upkeep, hostId, over)
}

/** Stops a container in the engine alone. @returns whether it is */
async function kill(works: Works, { id, hostId }: Container): Promise<boolean> {
  const engineId = (await works.store.containers.byId(id))?.engineId
  if (!engineId) return false
  const stopped = works.host(hostId).engine.stop(engineId, 0)
  return stopped.then(
    () => true,
    () => false,
  )
}

/**
 * The host's disk is nearly full: the running containers of members who are over their quota are stopped, largest use
 * first, so that the host and everyone within their quota go on. Nothing is deleted.
 */
async function relieve(
  { works, runner, log }: Upkeep,
  hostId: string,
  over: { id: string; name: string; used: number; limit: number }[],
): Promise<void> {
  log.error({ host: hostId, over: over.map((member) => member.name) }, 'the disk is nearly full')
  for (const member of over.toSorted((a, b) => b.used - b.limit - (a.used - a.limit)))
    for (const container of await works.store.containers.of(member.id)) {
      if (container.desired === 'exited') continue
      const asker = systemAsker(works.random, 'stop', { ownerId: member.id, target: container.name })
      try {
        const id = await runner.begin('stop', { containerId: container.id, seconds: 10 }, asker)
        const outcome = await runner.wait(id, { wait: 30_000 })
        // One that goes on, or did not work, is come back to at the next look.
        if (outcome?.state !== 'done') continue
      } catch (error) {
        // What is being done to it goes on for hours where that is a build or a job, which end with it.
        const ended = error instanceof DcmError && error.code === 'conflict' && (await kill(works, container))
        if (!ended) {
          log.warn({ container: container.id, err: error }, 'could not be stopped to save the disk')
          continue
        }
      }
      const trouble = `It was stopped because the host's disk is nearly full and you use ${formatSize(member.used)} of ${formatSize(member.limit)}.`
      const text = `${container.name} is in trouble. ${trouble}`
      const actions = [{ label: 'Show what takes room', line: 'df' }]
      await works.store.tx(async (tx) => {
        await tx.containers.update(container.id, { trouble })
        await noticeOf(tx, works.random, container, {
          kind: 'unhealthy',
          when: works.now().toISOString(),
          text,
          actions,
        })
      })
    }
}
