import { setTimeout as sleep } from 'node:timers/promises'
import { HostError, isFault } from '../fault.ts'
import { labels } from './create.ts'
import { fullId, networkName } from './names.ts'
import { array, maybeObject, object, string, stringMap } from './read.ts'
import { deadlines, type Wire } from './wire.ts'

type Network = { id: string; name: string; labels: Record<string, string>; subnets: string[]; bridge: string }

function readNetwork(value: unknown): Network {
  const what = 'the list of networks'
  const item = object(value, what)
  const id = string(item.Id, what)
  const configs = maybeObject(item.IPAM).Config
  return {
    id,
    name: string(item.Name, what),
    labels: stringMap(item.Labels),
    subnets: (Array.isArray(configs) ? configs : []).flatMap((config) => {
      const subnet = maybeObject(config).Subnet
      return typeof subnet === 'string' ? [subnet] : []
    }),
    bridge: stringMap(item.Options)['com.docker.network.bridge.name'] ?? '',
  }
}

/** How long a network that was seen is taken to be there. */
const trustFor = 30_000

/** The networks of one engine; members' are bridges with a name that the firewall matches. */
export function createNetworks(wire: Wire, instance: string) {
  const all = async (name?: string): Promise<Network[]> => {
    const query = name === undefined ? {} : { filters: JSON.stringify({ name: [name] }) }
    const { body } = await wire.call('GET', ['networks'], { query, deadline: deadlines.short })
    return array(body, 'the list of networks').map(readNetwork)
  }

  const find = async (name: string) => (await all(name)).find((network) => network.name === name)

  /** The engine's own filter by network does not see containers that never ran; those of its owner name it in their request. */
  const busy = async (network: Network): Promise<boolean> => {
    const label = [labels.instance, labels.owner].map((key) => `${key}=${network.labels[key]}`)
    const query = { all: 1, filters: JSON.stringify({ label }) }
    const { body } = await wire.call('GET', ['containers', 'json'], { query, deadline: deadlines.short })
    const what = 'the list of containers'
    return array(body, what).some((value) => maybeObject(object(value, what).HostConfig).NetworkMode === network.name)
  }

  const remove = async (network: Network): Promise<void> => {
    if (await busy(network)) throw new HostError('taken', `Containers are on the network ${network.name}.`)
    try {
      await wire.call('DELETE', ['networks', network.id], { deadline: deadlines.start, pool: 'long', allow: [404] })
    } catch (error) {
      if (error instanceof HostError && error.status === 403)
        throw new HostError('taken', `Containers are on the network ${network.name}.`, { status: 403 })
      throw error
    }
  }

  // A network that was there a moment ago is not asked for again with every container; a start without it says so.
  const seen = new Map<string, number>()

  const own = (network: Network) => network.labels[labels.instance] === instance && fullId.test(network.id)

  return {
    async createNetwork(wish: { name: string; bridge: string; subnet: string; ownerId: string }): Promise<void> {
      const name = networkName(wish.name)
      if (!/^dcm[a-z0-9-]{1,12}$/.test(wish.bridge))
        throw new HostError('refused', 'A bridge is named dcm… in 15 characters at most.')
      if (!/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/.test(wish.subnet))
        throw new HostError('refused', 'The subnet is not in CIDR form.')
      const key = JSON.stringify(wish)
      if ((seen.get(key) ?? 0) > performance.now()) return
      const there = () => void seen.set(key, performance.now() + trustFor)
      const found = await find(name)
      if (found) {
        if (!own(found) || found.labels[labels.owner] !== wish.ownerId)
          throw new HostError('taken', `The network ${name} is another's.`)
        if (found.bridge === wish.bridge && found.subnets.includes(wish.subnet)) return there()
        await remove(found)
      }
      const body = {
        Name: name,
        CheckDuplicate: true,
        Driver: 'bridge',
        Internal: false,
        Attachable: false,
        EnableIPv6: false,
        IPAM: { Driver: 'default', Config: [{ Subnet: wish.subnet }] },
        Options: {
          'com.docker.network.bridge.name': wish.bridge,
          'com.docker.network.bridge.enable_icc': 'true',
          'com.docker.network.bridge.enable_ip_masquerade': 'true',
        },
        Labels: { [labels.instance]: instance, [labels.owner]: wish.ownerId },
      }
      try {
        await wire.call('POST', ['networks', 'create'], { body, deadline: deadlines.start, pool: 'long' })
        there()
      } catch (error) {
        if (!isFault(error, 'taken')) throw error
        // Another creation of this very network may be under way: it holds name, bridge and subnet before it is listed.
        for (let tries = 0; tries < 50; tries++) {
          const other = await find(name)
          if (other && own(other) && other.bridge === wish.bridge && other.subnets.includes(wish.subnet)) return there()
          await sleep(100)
        }
        throw error
      }
    },

    async removeNetwork(name: string): Promise<void> {
      seen.clear()
      const found = await find(networkName(name))
      if (!found) return
      if (!own(found)) throw new HostError('refused', `The network ${name} is another's.`)
      await remove(found)
    },

    async networks(): Promise<{ name: string; subnets: string[]; own: boolean }[]> {
      return (await all()).map((network) => ({ name: network.name, subnets: network.subnets, own: own(network) }))
    },
  }
}
