import { type ForwardWish, HostError } from '../host/host.ts'
import type { AddedPort, Container, Proto, Spec } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { networkFor } from './network.ts'

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
