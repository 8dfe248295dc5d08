import { HostError } from '../host/host.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { violated } from '../store/db.ts'
import { chooseSubnet } from './subnet.ts'

/**
 * Makes sure that a member has their network on a host, in the database first and then in the engine.
 * @returns its name in the engine
 */
export async function ensureNetwork(works: Works, ownerId: string, hostId: string): Promise<string> {
  const { store, place, settings } = works
  const host = works.host(hostId)
  for (let tries = 0; tries < 20; tries++) {
    const row = await store.hosts.network(ownerId, hostId)
    if (row) {
      const { name, bridge, subnet } = row
      try {
        await host.engine.createNetwork({ name, bridge, subnet, ownerId })
        return name
      } catch (error) {
        if (!(error instanceof HostError && error.fault === 'taken')) throw error
        // Somebody else on this engine took the subnet in the same moment: give it up, unless the network is there.
        if ((await host.engine.networks()).some((network) => network.own && network.name === name)) throw error
        await store.hosts.removeNetwork(ownerId, hostId)
      }
    }
    const [ours, theirs, routes] = await Promise.all([
      store.hosts.networks(hostId),
      host.engine.networks(),
      host.net.routes(),
    ])
    const avoid = [...ours.map((one) => one.subnet), ...theirs.flatMap((one) => one.subnets), ...routes]
    const subnet = chooseSubnet(settings.subnetPool, avoid)
    if (!subnet)
      throw new DcmError(
        'unavailable',
        'There is no subnet left for another member; an admin can widen DCM_SUBNET_POOL.',
      )
    const name = `dcm-${place.instance}-net-${ownerId}`
    // 15 characters at most for a Linux interface: "dcm", and the id's own twelve.
    const bridge = `dcm${ownerId}`
    try {
      await store.hosts.insertNetwork({ ownerId, hostId, name, bridge, subnet })
    } catch (error) {
      // Another admission took that subnet, or made this very network, in the same moment.
      if (!violated(error)?.startsWith('networks_')) throw error
    }
  }
  throw new DcmError('unavailable', 'No subnet could be settled on for your network; try again in a minute.')
}
