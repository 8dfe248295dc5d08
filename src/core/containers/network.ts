import { isFault } from '../host/fault.ts'
import { type Container, foundAs } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { violated } from '../store/db.ts'
import { chooseSubnet } from './subnet.ts'

/** The engine name of a network, and of its bridge: 15 characters at most for a Linux interface, "dcm" and an id's twelve. */
export const namesOf = (instance: string, id: string): { name: string; bridge: string } => ({
  name: `dcm-${instance}-net-${id}`,
  bridge: `dcm${id}`,
})

/** A subnet of the pool that nothing on this host uses, as far as it can be known. */
async function freeSubnet({ store, host, settings }: Works, hostId: string): Promise<string> {
  const { engine, net } = host(hostId)
  const [ours, theirs, routes] = await Promise.all([store.hosts.networks(hostId), engine.networks(), net.routes()])
  const avoid = [...ours.flatMap((one) => one.subnet ?? []), ...theirs.flatMap((one) => one.subnets), ...routes]
  const subnet = chooseSubnet(settings.subnetPool, avoid)
  if (subnet) return subnet
  throw new DcmError('unavailable', 'There is no subnet left for another network; an admin can widen DCM_SUBNET_POOL.')
}

/**
 * Makes sure that a network whose row is there is in the engine too, with a subnet that is settled in the database first.
 * @returns its name in the engine
 */
export async function settleNetwork(works: Works, id: string, hostId: string): Promise<string> {
  const { store } = works
  const { engine } = works.host(hostId)
  for (let tries = 0; tries < 20; tries++) {
    const row = await store.networks.byId(id, hostId)
    if (!row) throw new DcmError('conflict', 'That network was removed meanwhile.', { try: 'network ls' })
    const { name, bridge, subnet, ownerId } = row
    if (subnet === null) {
      try {
        await store.networks.changeSubnet(id, hostId, null, await freeSubnet(works, hostId))
      } catch (error) {
        // Another took that subnet in the same moment.
        if (violated(error) !== 'networks_subnet') throw error
      }
      continue
    }
    try {
      await engine.createNetwork({ name, bridge, subnet, ownerId })
      return name
    } catch (error) {
      if (!isFault(error, 'taken')) throw error
      // Somebody else on this engine took the subnet in the same moment: give it up, unless the network is there, or has
      // been given another subnet since.
      const there = (await engine.networks()).some((network) => network.own && network.name === name)
      if (there && (await store.networks.byId(id, hostId))?.subnet === subnet) throw error
      await store.networks.changeSubnet(id, hostId, subnet, null)
    }
  }
  throw new DcmError('unavailable', 'No subnet could be settled on for your network; try again in a minute.')
}

/**
 * Makes sure that a member has their main network on a host, in the database first and then in the engine.
 * @returns its name in the engine
 */
export async function ensureNetwork(works: Works, ownerId: string, hostId: string): Promise<string> {
  const { store, place } = works
  if (!(await store.networks.byId(ownerId, hostId)))
    try {
      await store.networks.insert({ id: ownerId, ownerId, hostId, ...namesOf(place.instance, ownerId) })
    } catch (error) {
      // Another admission made this very network in the same moment.
      if (!violated(error)?.startsWith('networks_')) throw error
    }
  return settleNetwork(works, ownerId, hostId)
}

/** Makes sure of the network that a container is made on. @returns its name in the engine */
export const networkFor = (
  works: Works,
  { ownerId, hostId, spec }: Pick<Container, 'ownerId' | 'hostId' | 'spec'>,
): Promise<string> =>
  spec.network ? settleNetwork(works, spec.network.id, hostId) : ensureNetwork(works, ownerId, hostId)

/** Makes an engine container part of the networks that its row has joined, under its names there. */
export async function joinNetworks(
  works: Works,
  container: Pick<Container, 'hostId' | 'ownerId' | 'joined' | 'name' | 'spec'>,
  engineId: string,
): Promise<void> {
  const { engine } = works.host(container.hostId)
  for (const { id } of container.joined)
    await engine.alias(engineId, await settleNetwork(works, id, container.hostId), foundAs(container, id))
}
