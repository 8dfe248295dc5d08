import { noticeOf } from '../people/notices.ts'
import { readGrants } from '../containers/admit.ts'
import { checkPorts } from '../containers/allow.ts'
import { forwarder, openForward } from '../containers/forward.ts'
import { isFault } from '../host/fault.ts'
import { newId, type Random } from '../model/id.ts'
import { formatTime } from '../model/time.ts'
import { DcmError } from '../reply/error.ts'
import { called } from '../reply/container.ts'
import type { Added } from '../store/ports.ts'
import type { Tables } from '../store/store.ts'
import type { Upkeep } from './reconcile.ts'

/** How long before its end a port's owner is told, and what was opened for less than twice of it is not told of. */
const ahead = 15 * 60_000

const warn = (tx: Tables, random: Random, port: Added, text: string, again: string | null): Promise<void> =>
  noticeOf(
    tx,
    random,
    { id: port.containerId, ownerId: port.ownerId },
    {
      kind: 'port',
      when: `${called(port)}:${port.expiresAt?.toISOString() ?? 'granted'}:${again ? 'soon' : 'over'}`,
      text,
      actions: again ? [{ label: 'Keep it a day more', line: again }] : [],
    },
  )

/** Why a port may not be open any more, in words for its owner; undefined while it may. */
async function over({ works }: Upkeep, port: Added): Promise<string | undefined> {
  if (port.past) return `Port ${called(port)} of ${port.name} has come to its end and is closed.`
  if (port.reach !== 'public') return undefined
  try {
    checkPorts(readGrants(await works.store.grants.of(port.ownerId)), [], port.reach)
    return undefined
  } catch (error) {
    if (!(error instanceof DcmError)) throw error
    return `Port ${called(port)} of ${port.name} is closed: what permitted it at every address is no longer granted.`
  }
}

/**
 * Makes the forwarders of a host what the database says: those that are missing, ended or lead elsewhere are made again,
 * those that nobody has any more are taken away, and ports whose end has come are closed.
 */
export async function settlePorts(upkeep: Upkeep, hostId: string): Promise<void> {
  const { works, log } = upkeep
  const { store, place } = works
  const { engine } = works.host(hostId)
  // The engine first: what is made between the two looks is then in the rows too, and not taken for left over.
  const seen = new Map((await engine.forwards()).map((one) => [one.engineName, one]))
  const rows = await store.ports.added(hostId)
  for (const port of rows) {
    const name = forwarder(place.instance, port.proto, port.host)
    const found = seen.get(name)
    seen.delete(name)
    try {
      const why = await over(upkeep, port)
      const quiet = found?.running && found.target === port.engineName && why === undefined
      if (!quiet && (await store.operations.openOn(`container:${port.containerId}`))) continue
      if (why !== undefined) {
        await engine.unforward(name)
        await store.tx(async (tx) => {
          if (port.past) await tx.ports.expire(hostId, port.proto, port.host)
          else await tx.ports.release(hostId, port.proto, port.host)
          await tx.audit.add({
            ...{ actor: null, as: null, surface: 'system', command: 'port rm', decision: 'done' },
            ...{ target: `${port.owner}/${port.name} ${called(port)}`, requestId: newId(works.random), detail: why },
          })
          await warn(tx, works.random, port, why, null)
        })
      } else if (!quiet) await openForward(works, hostId, { ...port, ownerId: port.ownerId })
      else if (port.expiresAt && port.expiresAt.getTime() - works.now().getTime() < ahead) {
        if (port.expiresAt.getTime() - port.createdAt.getTime() <= 2 * ahead) continue
        const text = `Port ${called(port)} of ${port.name} will be closed at ${formatTime(port.expiresAt)}.`
        const again = `port add ${port.name} ${called(port)} --for 1d${port.reach === 'site' ? '' : ` --share ${port.reach}`}`
        await warn(store, works.random, port, text, again)
      }
    } catch (error) {
      if (isFault(error, 'down')) throw error
      log.warn(
        { container: port.containerId, port: port.host, err: error },
        'a port could not be opened; it is tried again',
      )
    }
  }
  for (const name of seen.keys()) await engine.unforward(name)
}
