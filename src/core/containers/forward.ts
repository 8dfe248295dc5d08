import type { ForwardWish } from '../host/engine.ts'
import { HostError, isFault } from '../host/fault.ts'
import type { AddedPort, Container, Proto, Spec } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { present } from './change.ts'
import { networkFor } from './network.ts'
import { heldFor, pickPort } from './ports.ts'

/** The engine name of the forwarder that has a host port. */
export const forwarder = (instance: string, proto: Proto, port: number): string =>
  `dcm-${instance}-port-${proto}-${port}`

/** What a port leads to, as far as its forwarder has to know. */
type Way = Pick<AddedPort, 'container' | 'proto' | 'host' | 'reach'> & {
  ownerId: string
  engineName: string
  spec: Spec
}

/** Makes sure that one added port is handed on. @throws HostError `taken` when something else holds it */
export async function openForward(works: Works, hostId: string, way: Way): Promise<void> {
  const { ownerId, engineName, spec, container, proto, host, reach } = way
  const wish: ForwardWish = {
    engineName: forwarder(works.place.instance, proto, host),
    network: await networkFor(works, { ownerId, hostId, spec }),
    target: engineName,
    ...{ ownerId, container, proto, host, reach },
  }
  await works.host(hostId).engine.forward(wish)
}

const find = (container: Container, { container: port, proto }: Pick<AddedPort, 'container' | 'proto'>) =>
  container.added.find((one) => one.container === port && one.proto === proto)

/** The port's row moves to another number, and the one that something else holds is left alone for a while. */
async function exchange(works: Works, container: Container, port: AddedPort): Promise<void> {
  await works.store.tx(async (tx) => {
    await tx.hosts.lock(container.hostId)
    const other = await pickPort(tx, container.hostId, port.proto, works.settings.ports, works.random)
    await tx.ports.move(container.hostId, port.proto, port.host, other)
    await tx.ports.hold(container.hostId, port.proto, port.host, heldFor)
  })
}

/**
 * Opens an added port of a container for the first time. A number that something else holds is exchanged for another,
 * unless it is `fixed`.
 * @returns the container with the port as it is open @throws DcmError `conflict`
 */
export async function openAdded(
  works: Works,
  containerId: string,
  port: Pick<AddedPort, 'container' | 'proto'>,
  fixed: boolean,
): Promise<Container> {
  for (let tries = 0; ; tries++) {
    const container = await present(works.store, containerId)
    const mine = find(container, port)
    if (!mine) throw new DcmError('conflict', `That port of ${container.name} was closed meanwhile.`)
    try {
      await openForward(works, container.hostId, { ...container, ...mine })
      return container
    } catch (error) {
      if (!isFault(error, 'taken')) throw error
      if (fixed || tries >= 5)
        throw new DcmError(
          'conflict',
          `Port ${mine.host}/${mine.proto} of this host is held by something else; choose another.`,
          { cause: error },
        )
      await exchange(works, container, mine)
    }
  }
}

/** Lets all added ports of a container lead to what it is now. What cannot be now is done by upkeep. */
export async function renewForwards(works: Works, container: Container): Promise<void> {
  for (const port of container.added)
    await openForward(works, container.hostId, { ...port, ...container, container: port.container }).catch(
      (error: unknown) => {
        if (!(error instanceof HostError)) throw error
      },
    )
}

/** Takes away the forwarders of a container; the numbers stay its own until its row is gone. */
export async function closeForwards(works: Works, container: Container): Promise<void> {
  const { engine } = works.host(container.hostId)
  for (const { proto, host } of container.added) await engine.unforward(forwarder(works.place.instance, proto, host))
}
