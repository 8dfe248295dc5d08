import type { PortWish } from '../command/intents.ts'
import type { Port } from '../model/container.ts'
import type { Random } from '../model/id.ts'
import type { Tables } from '../store/store.ts'
import { givePorts, type PortRange } from './ports.ts'

type Wish = PortWish & { purpose: Port['purpose'] }

const alike = (one: Port, wish: Wish) => one.proto === wish.proto && one.purpose === wish.purpose

/**
 * What ports a container gets when it is made anew. One that stays keeps its number, and one that takes another's place
 * takes its number too, so that what points at it goes on; only what is left is given out anew, and held at once.
 * @returns all of them, and those that were given out here
 */
export async function exchangePorts(
  tx: Tables,
  container: { id: string; ownerId: string; hostId: string; ports: readonly Port[] },
  wishes: readonly Wish[],
  range: PortRange,
  random: Random,
): Promise<{ ports: Port[]; gained: Port[] }> {
  const left = [...container.ports]
  const take = (match: (port: Port) => boolean) => {
    const at = left.findIndex(match)
    return at < 0 ? undefined : left.splice(at, 1)[0]
  }
  const kept = new Map<Wish, Port>()
  for (const wish of wishes) {
    const same = take(
      (port) => alike(port, wish) && port.container === wish.container && (wish.host ?? port.host) === port.host,
    )
    if (same) kept.set(wish, same)
  }
  for (const wish of wishes) {
    if (kept.has(wish)) continue
    const place = take(
      (port) =>
        alike(port, wish) &&
        (wish.host === undefined ? port.host >= range.low && port.host <= range.high : wish.host === port.host),
    )
    if (place) kept.set(wish, { ...place, container: wish.container })
  }
  const fresh = wishes.filter((wish) => !kept.has(wish))
  const gained = await givePorts(tx, container, fresh, range, random)
  return { ports: [...kept.values(), ...gained], gained }
}

/** Makes the ports of a container's row those that it has been made with. */
export async function settlePorts(
  tx: Tables,
  container: { id: string; ownerId: string; hostId: string; ports: readonly Port[] },
  ports: readonly Port[],
): Promise<void> {
  for (const port of container.ports) await tx.ports.release(container.hostId, port.proto, port.host)
  for (const port of ports)
    await tx.ports.insert({
      ...{ hostId: container.hostId, proto: port.proto, hostPort: port.host, containerPort: port.container },
      ...{ containerId: container.id, ownerId: container.ownerId, purpose: port.purpose },
    })
}
