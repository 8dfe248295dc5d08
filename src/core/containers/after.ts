import type { After } from '../command/intents.ts'
import type { Container } from '../model/container.ts'
import type { Health } from '../model/health.ts'
import { newId } from '../model/id.ts'
import { plain } from '../reply/text.ts'
import { DcmError } from '../reply/error.ts'
import { isFault } from '../host/fault.ts'
import { running } from './inside.ts'
import { signalInside } from './signal.ts'
import type { Starting } from './start.ts'

/** How long a health check may go on in all, whatever is asked for. */
const longest = 600_000

/** Waits until the containers are up that one is begun after. @throws DcmError `conflict` when one of them is not */
export async function others(run: Starting, after: readonly After[] = []): Promise<void> {
  for (const { containerId, name, health } of after) {
    await run.say(`waiting for ${name}`)
    const container = await settled(run, containerId, name)
    if (health) await well(run, container, health)
  }
}

async function settled(run: Starting, id: string, name: string): Promise<Container> {
  for (;;) {
    const open = await run.store.operations.openOn(`container:${id}`)
    const container = await run.store.containers.byId(id)
    if (!container) throw new DcmError('conflict', `${name}, which has to be up before it, did not come up.`)
    if (!open) {
      if (container.state === 'running') return container
      throw new DcmError('conflict', `${name}, which has to be up before it, is ${container.state}.`)
    }
    if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
    await run.sleep(250)
  }
}

/** Asks a container how it is until it is well. @throws DcmError `conflict` with what it said last */
async function well(run: Starting, container: Container, health: Health): Promise<void> {
  await run.say(`waiting for ${container.name} to be well`)
  const end =
    performance.now() + Math.min(longest, health.start + health.interval * Math.max(1, health.retries) + health.timeout)
  // At most as often as is asked for, but at first soon: who waits has nothing of a long interval.
  let pause = Math.min(health.interval, 250)
  for (;;) {
    const { code, said } = await ask(run, container, health)
    if (code === 0) return
    if (performance.now() > end)
      throw new DcmError(
        'conflict',
        `${container.name} is not well: its health check ${code === null ? 'did not end in time' : `ended with ${code}`}${said ? ` (${said})` : ''}.`,
      )
    if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
    await run.sleep(pause)
    pause = Math.min(health.interval, pause * 2)
  }
}

async function ask(
  run: Starting,
  { hostId, engineId, name }: Container,
  health: Health,
): Promise<{ code: number | null; said: string }> {
  const { engine } = run.host(hostId)
  const id = newId(run.random)
  try {
    const program = await engine.exec(engineId!, { ...running(health.argv, id, '/'), tty: null, input: false })
    let said = ''
    let late = false
    const timer = setTimeout(() => {
      late = true
      void signalInside(engine, engineId!, id, 'KILL')
        .catch(() => undefined)
        .finally(() => program.close())
    }, health.timeout)
    try {
      for await (const { data } of program.output) said = (said + data.toString('utf8')).slice(-300)
    } catch (error) {
      if (!late) throw error
    } finally {
      clearTimeout(timer)
    }
    return { code: late ? null : await program.exit(), said: plain(said).trim().replaceAll('\n', ' / ').slice(-200) }
  } catch (error) {
    if (isFault(error, 'taken') || isFault(error, 'gone'))
      throw new DcmError('conflict', `${name}, which has to be up before it, has ended.`, { cause: error })
    throw error
  }
}
