import type { Container } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { closeForwards } from './forward.ts'
import { locate } from './locate.ts'

/** Removes a container from its host and then from the database. May be run again at any point. */
export async function erase(works: Works, container: Container): Promise<void> {
  const host = works.host(container.hostId)
  await closeForwards(works, container)
  const seen = await locate(host.engine, container)
  if (seen) await host.engine.remove(seen.engineId)
  await host.files.removeRun(container.id)
  await works.store.containers.remove(container.id)
}
