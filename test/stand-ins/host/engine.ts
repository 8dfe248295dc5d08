import type { Engine, HostEvent } from '../../../src/core/host/engine.ts'
import { HostError } from '../../../src/core/host/fault.ts'
import { createContainers } from './containers.ts'
import type { Images } from './images.ts'
import type { World } from './state.ts'

/** A fake engine: its containers and images, its networks and forwarders, and what it tells of them. */
export function createEngine(world: World, images: Images): Engine {
  const { instance, state, containers, networks, forwards, exits, listeners, portTaken } = world
  const engine: Engine = {
    ...createContainers(world, images),
    ...images.methods,
    ping: async () => undefined,
    info: async () => structuredClone(state.info),

    async forward(wish) {
      if (!wish.engineName.startsWith(`dcm-${instance}-port-`))
        throw new HostError('refused', 'The forwarder is not of this instance.')
      if (!networks.has(wish.network)) throw new HostError('refused', 'The network is not there.')
      const { running, ...found } = forwards.get(wish.engineName) ?? { running: false }
      if (running && JSON.stringify(found) === JSON.stringify(wish)) return
      if (portTaken(wish.host, wish.engineName)) {
        forwards.delete(wish.engineName)
        throw new HostError('taken', 'A port is already allocated.', { status: 500 })
      }
      forwards.set(wish.engineName, { ...wish, running: true })
    },
    forwards: async () =>
      [...forwards.values()].map(({ engineName, target, running }) => ({ engineName, target, running })),
    unforward: async (engineName) => void forwards.delete(engineName),

    async createNetwork({ name, bridge, subnet, ownerId }) {
      const found = networks.get(name)
      if (found && found.ownerId !== ownerId) throw new HostError('taken', `The network ${name} is another's.`)
      if (found?.bridge === bridge && found.subnet === subnet) return
      if (found) await engine.removeNetwork(name)
      if ([...networks.values()].some((other) => other.subnet === subnet || other.bridge === bridge))
        throw new HostError('taken', 'Pool overlaps with other one on this address space.', { status: 403 })
      networks.set(name, { bridge, subnet, ownerId })
    },

    async removeNetwork(name) {
      if (
        [...containers.values(), ...forwards.values()].some((one) => ('wish' in one ? one.wish : one).network === name)
      )
        throw new HostError('taken', `Containers are on the network ${name}.`)
      networks.delete(name)
    },

    networks: async () => [
      { name: 'bridge', subnets: ['172.17.0.0/16'], own: false },
      ...[...networks].map(([name, { subnet }]) => ({ name, subnets: [subnet], own: true })),
    ],

    gap: async (since) => ({
      restarted: state.restartedAt > since,
      exits: new Map(
        [...exits].filter(([, exit]) => exit.at >= since).map(([engineId, exit]) => [engineId, exit.code]),
      ),
    }),
    async *events(signal, ready) {
      const queue: HostEvent[] = []
      let [over, wake] = [false, () => {}]
      const listener = { push: (event: HostEvent) => (queue.push(event), wake()), end: () => ((over = true), wake()) }
      if (signal.aborted) return
      signal.addEventListener('abort', listener.end, { once: true })
      listeners.add(listener)
      try {
        ready()
        for (;;) {
          const event = queue.shift()
          if (event) yield event
          else if (over) return
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        listeners.delete(listener)
        signal.removeEventListener('abort', listener.end)
      }
    },
  }
  return engine
}
