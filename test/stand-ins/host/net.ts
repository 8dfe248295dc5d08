import { Duplex, PassThrough } from 'node:stream'
import { HostError } from '../../../src/core/host/fault.ts'
import type { Net } from '../../../src/core/host/net.ts'
import { hostKeyFingerprint } from '../../../src/core/secret/keys.ts'
import type { World } from './state.ts'

/** The network of a fake host. */
export function createNet({ state, containers, forwards, runs, portTaken }: World): Net {
  return {
    ensureFirewall: async () => [...state.firewall],
    checkFirewall: async () => [...state.firewall],
    portFree: async (port) => !portTaken(port),
    async dial(port) {
      if (!portTaken(port)) throw new HostError('down', `Port ${port} cannot be reached (ECONNREFUSED).`)
      const pipe = new PassThrough()
      return Duplex.from({ readable: pipe, writable: pipe })
    },
    routes: async () => ['192.0.2.0/24'],
    ephemeralPorts: async () => ({ low: 32768, high: 60999 }),
    async greet(port, fingerprint, _deadline, signal) {
      if (signal?.aborted) return { ok: false, why: 'The wait was given up.' }
      if (state.greeting !== null) return { ok: false, why: state.greeting }
      const ways = [...forwards.values()].filter((way) => way.running && way.host === port && way.container === 22)
      const container = [...containers.values()].find(
        (other) =>
          other.state === 'running' &&
          other.wish.ssh &&
          (ways.some((way) => way.target === other.engineName) ||
            other.wish.ports.some((mine) => mine.host === port && mine.container === 22)),
      )
      if (!container)
        return { ok: false, why: `No SSH server came up on port ${port}: it cannot be reached (ECONNREFUSED).` }
      const own = hostKeyFingerprint(runs.get(container.wish.id)?.hostKey ?? '')
      if (own !== undefined && own !== fingerprint)
        return { ok: false, why: `On port ${port} something answers with another host key.` }
      return { ok: true }
    },
  }
}
