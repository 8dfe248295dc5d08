import type { PortWish } from '../command/intents.ts'
import { DcmError } from '../reply/error.ts'
import type { Port, Proto } from '../model/container.ts'
import type { Random } from '../model/id.ts'
import type { Tables } from '../store/store.ts'

/** The ports that DCM gives out, both ends included. */
export type PortRange = { low: number; high: number }

/** How long a port that something else holds is left alone. */
export const heldFor = 3600_000

/**
 * A free port of the range. They are drawn at random, so that a port comes back late: clients remember the host key
 * that they saw on it.
 */
export async function pickPort(
  tx: Tables,
  hostId: string,
  proto: Proto,
  range: PortRange,
  random: Random,
): Promise<number> {
  const taken = await tx.ports.taken(hostId, proto)
  const size = range.high - range.low + 1
  const bytes = random(4)
  const start = ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
  for (let at = 0; at < size; at++) {
    const port = range.low + ((start + at) % size)
    if (!taken.has(port)) return port
  }
  throw new DcmError(
    'limited',
    `All ports from ${range.low} to ${range.high} are taken; an admin can widen DCM_PORT_RANGE.`,
  )
}

/** Gives a container its ports, in the transaction that admits it. The host's row is locked by then. */
export async function givePorts(
  tx: Tables,
  container: { id: string; ownerId: string; hostId: string },
  wishes: readonly (PortWish & { purpose: Port['purpose'] })[],
  range: PortRange,
  random: Random,
): Promise<Port[]> {
  const given: Port[] = []
  for (const wish of wishes) {
    if (wish.host !== undefined && (await tx.ports.taken(container.hostId, wish.proto)).has(wish.host))
      throw new DcmError(
        'conflict',
        `Port ${wish.host}/${wish.proto} of this host is taken; leave the choice to DCM with -p ${wish.container}.`,
      )
    const host = wish.host ?? (await pickPort(tx, container.hostId, wish.proto, range, random))
    await tx.ports.insert({
      hostId: container.hostId,
      proto: wish.proto,
      hostPort: host,
      containerId: container.id,
      ownerId: container.ownerId,
      containerPort: wish.container,
      purpose: wish.purpose,
    })
    given.push({ container: wish.container, proto: wish.proto, host, purpose: wish.purpose })
  }
  return given
}

/** Marks a container's port as held by something else on the host, and gives it another. */
export async function replacePort(
  tx: Tables,
  container: { id: string; ownerId: string; hostId: string },
  port: Port,
  range: PortRange,
  random: Random,
): Promise<Port> {
  await tx.hosts.lock(container.hostId)
  await tx.ports.release(container.hostId, port.proto, port.host)
  await tx.ports.hold(container.hostId, port.proto, port.host, heldFor)
  const [given] = await givePorts(
    tx,
    container,
    [{ container: port.container, proto: port.proto, purpose: port.purpose }],
    range,
    random,
  )
  return given!
}
