import type { Intents } from '../command/intents.ts'
import { isFault } from '../host/fault.ts'
import type { Host } from '../host/host.ts'
import type { Container, Spec } from '../model/container.ts'
import { formatDuration } from '../model/units.ts'
import type { Run, State } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { goesOn } from './ended.ts'
import { longest } from './flow.ts'
import { foldersOf } from './folders.ts'
import { wishFor } from './wish.ts'

type Input = Intents['build']
/** A build that has got as far as having a network. */
type Building = Run<'build', State & { name: string; network?: string }>

/** The build's container as the database has it. @throws DcmError `conflict` */
export async function mine(run: Building): Promise<Container> {
  const container = await run.store.containers.byId(run.id)
  if (!container) throw new DcmError('conflict', `${run.state.name} was removed before the build had ended.`)
  return container
}

/** A container that no earlier life of this build has touched, of the image in its row or of another. @returns the engine's id */
export async function fresh(run: Building, host: Host, base?: string): Promise<string> {
  const container = await mine(run)
  await goesOn(run)
  const old = await host.engine.find(container.engineName)
  if (old) await host.engine.remove(old.engineId)
  const { engineId } = await host.engine.create(await wishFor(run, container, run.state.network!, base))
  await run.store.containers.update(container.id, { engineId, state: 'created' })
  await host.engine.start(engineId)
  await run.store.containers.update(container.id, { state: 'running', startedAt: run.now() })
  await goesOn(run)
  return engineId
}

/** Ends the container that `at` has named, and with it what runs there, once `ms` have passed. @throws DcmError `limited` */
export async function timed<T>(
  run: Building,
  host: Host,
  ms: number,
  work: (at: (engineId: string) => void) => Promise<T>,
) {
  let now: string | undefined
  let late = false
  const timer = setTimeout(() => {
    late = true
    if (now) host.engine.stop(now, 0).catch(() => undefined)
  }, ms)
  try {
    return await work((engineId) => {
      if (late) throw new DcmError('limited', 'It took too long.')
      now = engineId
    })
  } catch (error) {
    if (late)
      throw new DcmError(
        'limited',
        `It took longer than ${formatDuration(ms)} and was ended; give it more with --timeout.`,
        { cause: error },
      )
    await goesOn(run)
    if (isFault(error, 'gone') || isFault(error, 'taken'))
      throw new DcmError('conflict', `${run.state.name} ended before the build had.`, { cause: error })
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** How a container of a build is made: it ends by itself, whatever becomes of DCM. */
export function specFor(id: string, input: Input, at: { fetching: boolean; stages: number }): Spec {
  const ms = at.fetching && input.source?.kind === 'sent' ? longest : input.lives
  const volumes = foldersOf(id, input, at)
  return {
    ...{ env: [], restart: { name: 'no' }, caps: [], devices: [], seccomp: null },
    command: ['sleep', String(Math.ceil(ms / 1000) + 120)],
    ...(volumes.length > 0 ? { volumes } : {}),
    // What came from elsewhere is not its member's own hand: its lines see nothing of theirs.
    ...(input.source ? { storage: false as const } : {}),
  }
}
