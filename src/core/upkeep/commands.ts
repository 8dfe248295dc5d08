import { readExit } from '../containers/exit.ts'
import type { Upkeep } from './reconcile.ts'

/**
 * Looks how the commands beside sshd have ended, so that a list can show it: nothing in the engine tells, since the
 * container itself goes on.
 */
export async function watchCommands({ works, log }: Upkeep, hostId: string): Promise<void> {
  for (const container of await works.store.containers.onHost(hostId)) {
    if (container.spec.command.length === 0 || container.commandExit !== null || container.state !== 'running') continue
    try {
      await readExit(works, container)
    } catch (error) {
      log.debug({ container: container.id, err: error }, 'its log could not be looked at')
    }
  }
}
