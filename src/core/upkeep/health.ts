import { noticeOf } from '../people/notices.ts'
import { sshPort, type Container } from '../model/container.ts'
import type { Upkeep } from './reconcile.ts'

/** How long an SSH server may take to answer. */
const patience = 10_000
/** Looks in a row that have to fail: one may have come while its owner restarted the server, or the machine was busy. */
const doubt = 2
/** Containers that are looked at in one turn, and at a time; who was not looked at for longest comes first. */
const most = 40
const together = 4

/** What the look before has found, by container: when it was, and since when nothing answers. */
export type Looks = Map<string, { at: number; failed: number; since: Date }>

/** What stands on a container that runs and cannot be entered; it is taken off again by these words. */
const silent = 'Its SSH server does not answer; restart it.'

/**
 * Looks whether running containers can be entered, which nothing in the engine tells: DCM runs no health checks inside,
 * for these would be the container's own word. Its owner is told once for each time that it stops answering.
 */
export async function watchHealth(upkeep: Upkeep, hostId: string, looks: Looks): Promise<void> {
  const { works, log } = upkeep
  const { store } = works
  const { engine } = works.host(hostId)
  // Where the engine itself is away, so are the ports that it hands on.
  await engine.ping()
  const running = (await store.containers.onHost(hostId)).filter(
    (container) => container.state === 'running' && sshPort(container) !== undefined,
  )
  const here = new Set(running.map((container) => container.id))
  for (const id of looks.keys()) if (!here.has(id)) looks.delete(id)
  // Those in trouble first, so that it is over as soon as they answer.
  const order = (container: Container) => (container.trouble ? -1 : (looks.get(container.id)?.at ?? 0))
  const next = running.toSorted((a, b) => order(a) - order(b)).slice(0, most)
  for (let at = 0; at < next.length; at += together)
    await Promise.all(
      next
        .slice(at, at + together)
        .map((container) =>
          look(upkeep, container, looks).catch((err: unknown) =>
            log.debug({ container: container.id, err }, 'its SSH server could not be looked at'),
          ),
        ),
    )
}

async function look({ works, log }: Upkeep, container: Container, looks: Looks): Promise<void> {
  const { store } = works
  const answer = await works.host(container.hostId).net.greet(sshPort(container)!, container.fingerprint, patience)
  // What is being changed meanwhile, or has been, is looked at another time.
  const now = await store.containers.byId(container.id)
  if (now?.state !== 'running' || (await store.operations.openOn(`container:${container.id}`))) return
  const before = looks.get(container.id)
  if (answer.ok) {
    looks.set(container.id, { at: performance.now(), failed: 0, since: works.now() })
    if (now.trouble === silent) await store.containers.update(container.id, { trouble: null })
    return
  }
  const failed = (before?.failed ?? 0) + 1
  const since = before && before.failed > 0 ? before.since : works.now()
  looks.set(container.id, { at: performance.now(), failed, since })
  if (failed < doubt || now.trouble !== null) return
  log.info({ container: container.id, why: answer.why }, 'a container that runs cannot be entered')
  // At once with what is told of it: once it is stored, nobody finds it again.
  await store.tx(async (tx) => {
    await tx.containers.update(container.id, { trouble: silent })
    await noticeOf(tx, works.random, container, {
      kind: 'unhealthy',
      when: since.toISOString(),
      text: `${container.name} runs, but its SSH server does not answer; restart it, or look at its log.`,
      actions: [
        { label: 'Restart it', line: `restart ${container.name}` },
        { label: 'Show its log', line: `logs ${container.name}` },
      ],
    })
  })
}
