import type { Engine, Seen } from '../host/engine.ts'
import { isFault } from '../host/fault.ts'
import type { Container } from '../model/container.ts'
import { DcmError } from '../reply/error.ts'

/** The engine's id of a container. @throws DcmError `conflict` when its engine object is gone */
export function engineIdOf(container: Pick<Container, 'engineId' | 'name'>): string {
  if (container.engineId) return container.engineId
  throw new DcmError('conflict', `${container.name} is gone from Docker; remove it with rm and create it again.`)
}

/**
 * A container's object in the engine: by its id, whatever somebody calls it there meanwhile; else by the name that DCM
 * made, for one whose id could not be stored any more. Undefined when there is neither.
 */
export async function locate(
  engine: Engine,
  container: Pick<Container, 'engineId' | 'engineName'>,
): Promise<Seen | undefined> {
  if (container.engineId)
    try {
      return await engine.inspect(container.engineId)
    } catch (error) {
      if (!isFault(error, 'gone')) throw error
    }
  return engine.find(container.engineName)
}
