import { noticeOf } from '../people/notices.ts'
import { HostError } from '../host/fault.ts'
import type { Container } from '../model/container.ts'
import { formatDuration } from '../model/units.ts'
import { systemAsker } from '../operation/asker.ts'
import { DcmError } from '../reply/error.ts'
import type { Upkeep } from './reconcile.ts'

/** Thousandths of a CPU, and bytes between two looks, below which nobody is taken to use it: a sleeping shell, ARP. */
const hardly = { cpus: 20, traffic: 20_000 }
/** How long before the end its owner is told, or less where it is soon. */
const ahead = (idleStop: number) => Math.min(15 * 60_000, idleStop / 4)
const together = 8

/** The form that OpenSSH gives the process of a session: `sshd: root@pts/0`, `sshd: root [priv]`. */
export const session = /^sshd(-session)?: \S+(@| \[priv\])/

/**
 * Stops what nobody uses, where the site turned that on: no session, no traffic, hardly any CPU and no `keep` for so
 * long, and its owner was told before. `traffic` is what was counted at the last look, by container.
 */
export async function stopIdle(upkeep: Upkeep, hostId: string, traffic: Map<string, number>): Promise<void> {
  const { works, runner, log } = upkeep
  const { store, settings } = works
  const { idleStop } = settings
  if (idleStop === undefined) return
  const { engine } = works.host(hostId)
  const running = (await store.containers.onHost(hostId)).filter(
    (container) => container.state === 'running' && container.engineId,
  )
  const sessions = await store.sessions.list()
  const busy: string[] = []

  const look = async (container: Container): Promise<void> => {
    const load = await engine.load(container.engineId!)
    if (!load) return
    const [now, before] = [load.received + load.sent, traffic.get(container.id)]
    traffic.set(container.id, now)
    const moved = before !== undefined && now - before > hardly.traffic
    const entered = sessions.some((one) => one.inside.includes(container.id))
    if (load.cpus >= hardly.cpus || moved || entered) busy.push(container.id)
  }
  for (let at = 0; at < running.length; at += together)
    await Promise.all(
      running.slice(at, at + together).map((container) =>
        look(container).catch((error: unknown) => {
          if (!(error instanceof HostError) || error.fault === 'down') throw error
        }),
      ),
    )
  const here = new Set(running.map((container) => container.id))
  for (const id of traffic.keys()) if (!here.has(id)) traffic.delete(id)
  await store.containers.busy(busy)

  /** Who is logged in straight at its own port is seen only inside; undefined where nothing is inside any more. */
  const entered = (container: Container): Promise<boolean | undefined> =>
    engine.processes(container.engineId!).then(
      (all) => all.some((process) => session.test(process.command)),
      (error: unknown) => {
        if (!(error instanceof HostError) || error.fault === 'down') throw error
        return undefined
      },
    )

  for (const container of await store.containers.quiet(hostId, idleStop - ahead(idleStop))) {
    const { name } = container
    const inUse = await entered(container)
    if (inUse) await store.containers.busy([container.id])
    if (inUse !== false) continue
    if (container.warned === null) {
      const text = `${name} has not been used for ${formatDuration(container.silent)} and is stopped in ${formatDuration(ahead(idleStop))}; its files and ports are kept.`
      const actions = [
        { label: 'Keep it', line: `keep ${name} 8h` },
        { label: 'Stop it', line: `stop ${name}` },
      ]
      // At once: it must not be stopped by a warning that nobody was given.
      await store.tx(async (tx) => {
        await tx.containers.warned(container.id)
        await noticeOf(tx, works.random, container, {
          kind: 'idle',
          when: container.since.toISOString(),
          text,
          actions,
        })
      })
      continue
    }
    if (container.silent < idleStop || container.warned < ahead(idleStop)) continue
    const { ownerId, owner } = container
    const asker = systemAsker(works.random, 'idle', { ownerId, target: `${owner}/${name}` })
    try {
      const text = `${name} was stopped, because nobody used it for ${formatDuration(container.silent)}.`
      const actions = [{ label: 'Start it', line: `start ${name}` }]
      await runner.begin('stop', { containerId: container.id, seconds: 10 }, asker, (tx) =>
        noticeOf(tx, works.random, container, {
          kind: 'idle',
          when: `stopped:${container.since.toISOString()}`,
          text,
          actions,
        }),
      )
    } catch (error) {
      if (!(error instanceof DcmError)) throw error
      log.debug({ container: container.id, err: error }, 'an idle container is left for the next look')
    }
  }
}
