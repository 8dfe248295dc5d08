import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { networkInterfaces } from 'node:os'
import { HostError } from '../fault.ts'
import type { Net } from '../net.ts'
import { createEgress, parseEgress } from './egress.ts'
import { createFirewall } from './firewall.ts'
import { greet } from './greet.ts'
import { run } from './program.ts'

const tcpFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })

const udpFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => {
      socket.close()
      resolve(false)
    })
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(true)))
  })

const dial = (host: string, port: number): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
    const fail = (why: string, cause?: unknown) => {
      clearTimeout(slow)
      socket.destroy()
      reject(new HostError('down', `Port ${port} cannot be reached (${why}).`, { cause }))
    }
    const slow = setTimeout(() => fail('no answer in 10 s'), 10_000)
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message, error))
    socket.once('connect', () => {
      clearTimeout(slow)
      socket.removeAllListeners('error')
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
  })

const cidr = /^\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?$/

/** `ip -j route`, or what the kernel itself says of its main table where there is no iproute2. */
async function readRoutes(): Promise<string[]> {
  const ran = await run('ip', ['-4', '-j', 'route', 'show', 'table', 'all'])
  if (ran.ok) {
    const list: unknown = JSON.parse(ran.stdout || '[]')
    return (Array.isArray(list) ? list : []).flatMap((route: unknown) => {
      if (typeof route !== 'object' || route === null || !('dst' in route) || typeof route.dst !== 'string') return []
      // Each address has a route of its own in the table "local", and each network a broadcast one.
      const type = 'type' in route ? route.type : 'unicast'
      return type === 'unicast' && cidr.test(route.dst) ? [route.dst.includes('/') ? route.dst : `${route.dst}/32`] : []
    })
  }
  const text = await readFile('/proc/net/route', 'utf8').catch(() => '')
  const dotted = (hex: string) => [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.')
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const words = line.split('\t')
      if (words.length < 8 || words[7] === '00000000') return []
      const bits = dotted(words[7]!)
        .split('.')
        .reduce((sum, part) => sum + Number(part).toString(2).replaceAll('0', '').length, 0)
      return [`${dotted(words[1]!)}/${bits}`]
    })
}

/** The network of this machine. `egressAllow` are entries of `DCM_EGRESS_ALLOW`; `bindHost` is where ports are published. */
export function createNet(options: {
  instance: string
  bindHost: string
  egressAllow: readonly string[]
  now: () => number
}): Net {
  const { instance, bindHost } = options
  const entries = options.egressAllow.map((text) => {
    const entry = parseEgress(text)
    if (!entry) throw new HostError('refused', `DCM_EGRESS_ALLOW has an entry that cannot be read: ${text}.`)
    return entry
  })
  const firewall = createFirewall(instance, createEgress(entries, options.now), options.now)
  const reach = bindHost === '0.0.0.0' ? '127.0.0.1' : bindHost

  return {
    ensureFirewall: firewall.ensure,
    checkFirewall: firewall.check,
    portFree: (port, proto) => (proto === 'udp' ? udpFree(bindHost, port) : tcpFree(bindHost, port)),

    dial: (port, here) => dial(here ? '127.0.0.1' : reach, port),

    async routes() {
      const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
      const addresses = own.flatMap((item) => (item.family === 'IPv4' && item.cidr !== null ? [item.cidr] : []))
      return [...new Set([...(await readRoutes()), ...addresses])]
    },

    async ephemeralPorts() {
      const text = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '')
      const [low, high] = text.trim().split(/\s+/).map(Number)
      // The kernel's own default, ip-sysctl.rst.
      return low && high && low < high ? { low, high } : { low: 32768, high: 60999 }
    },

    greet: (port, fingerprint, deadline, signal) => greet(reach, port, fingerprint, deadline, signal),
  }
}
