import type { Seen } from '../host/engine.ts'
import { HostError, isFault } from '../host/fault.ts'
import { type Container, foundAs, sshPort } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { plain } from '../reply/text.ts'
import { DcmError } from '../reply/error.ts'
import { joinNetworks } from './network.ts'
import { replacePort } from './ports.ts'
import { syncKeys } from './runfolder.ts'
import { wishFor } from './wish.ts'

export type Starting = Works & { signal: AbortSignal; say(text: string): Promise<void> }

/** How long a container's sshd may take to answer. */
const greeting = 30_000

/** Writes what the engine says of a container into the database; whatever was wrong with it is over. */
export async function settle(works: Works, container: Container, seen: Seen): Promise<void> {
  await works.store.containers.update(container.id, { ...asSeen(seen), trouble: null })
}

/** What of a container's row the engine says; the trouble that it is in stays. */
export const asSeen = (seen: Seen) => ({
  state: seen.state,
  ...(seen.startedAt === undefined ? {} : { startedAt: seen.startedAt }),
  ...(seen.state === 'exited' ? { exitCode: seen.exitCode ?? null, finishedAt: seen.finishedAt ?? null } : {}),
  ...(seen.state === 'running' ? { exitCode: null, revivals: 0, reviveAt: null } : {}),
})

/** Creates the engine's container out of its row and starts it; a port that something else holds is exchanged for another. */
export async function startAnew(run: Starting, id: string, network: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const container = await run.store.containers.byId(id)
    if (!container) throw new DcmError('conflict', 'The container was removed meanwhile.')
    const { engine } = run.host(container.hostId)
    const { engineId } = await engine.create(await wishFor(run, container, network))
    await run.store.containers.update(id, { engineId, state: 'created' })
    await joinNetworks(run, container, engineId)
    try {
      await engine.start(engineId)
      return await greet(run, { ...container, engineId })
    } catch (error) {
      if (!isFault(error, 'taken') || tries >= 5) throw error
      if (!(await replaceHeld(run, container))) throw error
      await engine.remove(engineId)
    }
  }
}

/** Starts a container that is there, with its folders made anew, and waits until its sshd answers. */
export async function startAgain(run: Starting, container: Container): Promise<void> {
  const host = run.host(container.hostId)
  const engineId = container.engineId
  if (!engineId)
    throw new DcmError(
      'conflict',
      `${container.name} is gone from Docker: what was inside is lost; remove it with rm and create it again.`,
    )
  const on = await run.store.networks.byId(container.spec.network?.id ?? container.ownerId, container.hostId)
  await wishFor(run, container, on!.name)
  const seen = await host.engine.inspect(engineId)
  if (seen.state !== 'running' && seen.state !== 'paused') {
    if (seen.aliases && !seen.aliases.includes(container.name))
      await host.engine.alias(engineId, on!.name, foundAs(container, on!.id))
    await joinNetworks(run, container, engineId)
  }
  if (seen.state !== 'running') await run.store.containers.update(container.id, { commandExit: null })
  try {
    await host.engine.start(engineId)
  } catch (error) {
    if (!isFault(error, 'taken')) throw error
    const ports = container.ports.map((port) => port.host).join(', ')
    throw new DcmError(
      'conflict',
      `One of its ports (${ports}) is held by something else on this host; an admin has to free it.`,
      { cause: error },
    )
  }
  await greet(run, container)
}

async function greet(run: Starting, container: Container): Promise<void> {
  await settle(run, container, await answers(run, container))
}

/** Waits until a container's sshd answers, or only looks where it has none. @throws DcmError `conflict` with the end of its log */
export async function answers(run: Starting, container: Container): Promise<Seen> {
  const host = run.host(container.hostId)
  const port = sshPort(container)
  if (port !== undefined) {
    const answer = await host.net.greet(port, container.fingerprint, greeting, run.signal)
    if (!answer.ok)
      throw new DcmError(
        'conflict',
        `${container.name} started but its SSH server does not answer (${answer.why}).${await lastWords(run, container)}`,
      )
  }
  const seen = await host.engine.inspect(container.engineId!)
  if (seen.state !== 'running')
    throw new DcmError(
      'conflict',
      `${container.name} ended at once with exit code ${seen.exitCode ?? '?'}.${await lastWords(run, container)}`,
    )
  await syncKeys(run, container)
  return seen
}

/** The end of its log, for whoever has to find out why. */
export async function lastWords(run: Starting, container: Container): Promise<string> {
  let text = ''
  try {
    for await (const chunk of run.host(container.hostId).engine.logs(container.engineId!, { tail: 3 }))
      text += chunk.data.toString()
  } catch (error) {
    if (!(error instanceof HostError)) throw error
  }
  const said = plain(text).trim().replaceAll('\n', ' / ').slice(-300)
  return said ? ` Its log ends with: ${said}` : ''
}

/** @returns whether at least one of a container's ports was held and has been exchanged */
async function replaceHeld(run: Starting, container: Container): Promise<boolean> {
  const { net } = run.host(container.hostId)
  let replaced = false
  for (const port of container.ports) {
    if (await net.portFree(port.host, port.proto)) continue
    const { low, high } = run.settings.ports
    if (port.host < low || port.host > high)
      throw new DcmError(
        'conflict',
        `Port ${port.host}/${port.proto} of this host is held by something else; choose another.`,
      )
    await run.store.tx((tx) => replacePort(tx, container, port, run.settings.ports, run.random))
    replaced = true
  }
  return replaced
}
