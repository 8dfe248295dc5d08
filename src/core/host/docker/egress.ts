import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { BlockList, isIPv4 } from 'node:net'
import { run } from './program.ts'

/** Something that containers may reach although it is inside: an address or network, and a port where one is meant. */
export type Allowed = { to: string; proto?: 'tcp' | 'udp'; port?: number }

/**
 * Networks that are no part of the Internet (RFC 6890, RFC 5735): the host's own neighbours, its containers, cloud
 * metadata (169.254.169.254 and its kin), multicast.
 */
export const inside = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

const blocked = new BlockList()
for (const network of inside) {
  const [address, bits] = network.split('/')
  blocked.addSubnet(address!, Number(bits))
}

/** Whether an address is in a network that the firewall closes. */
export const isInside = (address: string): boolean => isIPv4(address) && blocked.check(address)

/** One entry of `DCM_EGRESS_ALLOW`. */
export type Entry =
  | { kind: 'apt' }
  | { kind: 'network'; to: string; port: number | undefined }
  | { kind: 'name'; name: string; port: number | undefined }

/**
 * Reads one entry of `DCM_EGRESS_ALLOW`: an address, a network (`10.1.0.0/16`) or a host name, each with `:PORT` where
 * one TCP port is meant, or `apt` for the package mirrors that this machine's own apt uses.
 * @returns undefined when it is none of these
 */
export function parseEgress(text: string): Entry | undefined {
  if (text === 'apt') return { kind: 'apt' }
  const match = /^([A-Za-z0-9.-]+)(?:\/(\d{1,2}))?(?::([1-9]\d{0,4}))?$/.exec(text)
  if (!match) return undefined
  const [, host = '', bits, portText] = match
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && port > 65535) return undefined
  if (isIPv4(host)) {
    const width = bits === undefined ? 32 : Number(bits)
    return width >= 1 && width <= 32 ? { kind: 'network', to: canonical(host, width), port } : undefined
  }
  const name = /^(?=.{1,253}$)(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*$/
  return bits === undefined && name.test(host) && !/^[\d.]+$/.test(host)
    ? { kind: 'name', name: host.toLowerCase(), port }
    : undefined
}

/** The network's first address, as iptables writes it. */
function canonical(address: string, bits: number): string {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const first = number - (number % 2 ** (32 - bits))
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${bits}`
}

/** Name servers of the host; containers ask them from addresses of their own. resolv.conf(5) */
async function resolvers(): Promise<string[]> {
  const read = async (path: string) => {
    const text = await readFile(path, 'utf8').catch(() => '')
    return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!).filter(isIPv4)
  }
  const found = await read('/etc/resolv.conf')
  // systemd-resolved listens on loopback for the host alone; the engine gives containers what stands behind it.
  const behind = found.some((address) => address.startsWith('127.'))
    ? await read('/run/systemd/resolve/resolv.conf')
    : []
  return [...new Set([...found, ...behind])].filter((address) => !address.startsWith('127.'))
}

/** Hosts and ports of the repositories that this machine's apt uses. */
async function mirrors(): Promise<{ name: string; port: number }[]> {
  const ran = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)'])
  const found = new Map<string, { name: string; port: number }>()
  for (const line of ran.stdout.split('\n')) {
    const match = /^(https?):\/\/(?:[^@/]*@)?([A-Za-z0-9.-]+)(?::(\d{1,5}))?\//.exec(line.trim())
    if (!match) continue
    const port = Number(match[3] ?? (match[1] === 'http' ? 80 : 443))
    found.set(`${match[2]}:${port}`, { name: match[2]!, port })
  }
  return [...found.values()].slice(0, 32)
}

const remember = 3_600_000
const mostAddresses = 256

/**
 * What containers may reach inside, found anew at each call. Addresses of names are kept for an hour after they were
 * last seen, since a container may have asked for the name earlier. `atOnce` leaves apt's mirrors out, which take a while.
 */
export function createEgress(entries: readonly Entry[], now: () => number): (atOnce?: boolean) => Promise<Allowed[]> {
  const seen = new Map<string, number>()
  let listed: { at: number; found: ReturnType<typeof mirrors> } | undefined

  /** What apt is told to use changes seldom, and asking it takes half a second. */
  const aptMirrors = () => {
    if (!listed || now() - listed.at > remember / 6) listed = { at: now(), found: mirrors() }
    return listed.found
  }

  const resolve = async (name: string): Promise<string[]> => {
    if (isIPv4(name)) return [name]
    const answers = await lookup(name, { all: true, family: 4 }).catch(() => [])
    for (const { address } of answers) seen.set(`${name} ${address}`, now())
    return [...seen.keys()].filter((key) => key.startsWith(`${name} `)).map((key) => key.slice(name.length + 1))
  }

  return async (atOnce = false) => {
    for (const [key, at] of seen) if (now() - at > remember) seen.delete(key)
    const allowed: Allowed[] = []
    for (const address of await resolvers())
      allowed.push({ to: `${address}/32`, proto: 'udp', port: 53 }, { to: `${address}/32`, proto: 'tcp', port: 53 })
    const named = async (name: string, port: number | undefined) => {
      for (const address of await resolve(name))
        // What is on the Internet is not closed, so it needs no rule.
        if (isInside(address))
          allowed.push({ to: `${address}/32`, ...(port === undefined ? {} : { proto: 'tcp' as const, port }) })
    }
    for (const entry of entries) {
      if (entry.kind === 'network')
        allowed.push({ to: entry.to, ...(entry.port === undefined ? {} : { proto: 'tcp' as const, port: entry.port }) })
      else if (entry.kind === 'name') await named(entry.name, entry.port)
      else if (!atOnce) for (const mirror of await aptMirrors()) await named(mirror.name, mirror.port)
    }
    const unique = new Map(allowed.map((item) => [`${item.to} ${item.proto} ${item.port}`, item]))
    return [...unique.values()].slice(0, mostAddresses)
  }
}
