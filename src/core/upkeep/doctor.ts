import type { Check } from '../command/views.ts'
import { formatSize } from '../model/units.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { findStrays } from './reconcile.ts'
import { parseSubnet } from '../containers/subnet.ts'

const holds = (name: string, says: string): Check => ({ name, holds: true, says })
const lacks = (name: string, says: string, fix: string): Check => ({ name, holds: false, says, fix })

/** Compares dotted versions. */
function older(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(/[.+~-]/).map((part) => Number.parseInt(part, 10) || 0)) as [
    number[],
    number[],
  ]
  for (let at = 0; at < 3; at++) if ((a[at] ?? 0) !== (b[at] ?? 0)) return (a[at] ?? 0) < (b[at] ?? 0)
  return false
}

/** What a host and its engine guarantee, check by check. It looks and says; it changes nothing that stays, and refuses nothing. */
export async function examine(works: Works): Promise<Check[]> {
  const { store, settings } = works
  const host = works.host(settings.hostId)
  const checks: Check[] = []
  const look = async (name: string, work: () => Promise<Check | Check[]>) => {
    try {
      checks.push(...[await work()].flat())
    } catch (error) {
      checks.push(lacks(name, `It could not be looked at: ${explain(error).message}`, 'Look at the log for why.'))
    }
  }

  await look('engine', async () => {
    const info = await host.engine.info()
    const found: Check[] = []
    found.push(
      older(info.version, '29.5.1')
        ? lacks(
            'engine version',
            `Docker Engine ${info.version} has known holes (CVE-2026-41567 and others up to 29.5.1); DCM never uses the calls they need.`,
            'Update Docker Engine when your distribution has a newer one.',
          )
        : holds('engine version', `Docker Engine ${info.version}, API ${info.api}.`),
      info.remap
        ? holds('user namespaces', `Containers' root is uid ${info.remap.uid} of the host.`)
        : lacks(
            'user namespaces',
            "Containers' root is the host's root behind capabilities, seccomp and no-new-privileges.",
            'Start dockerd with --userns-remap=default before there are containers.',
          ),
      info.liveRestore
        ? holds('live-restore', 'Containers go on while Docker is restarted.')
        : lacks(
            'live-restore',
            'A restart of Docker stops every container; DCM starts them again.',
            'Set "live-restore": true in /etc/docker/daemon.json.',
          ),
      info.seccomp
        ? holds('seccomp', "Docker's default profile is in force.")
        : lacks(
            'seccomp',
            'The engine has no seccomp profile in force.',
            'Run a kernel with CONFIG_SECCOMP, and dockerd without seccomp-profile=unconfined.',
          ),
      info.cgroup === '2'
        ? holds('cgroups', 'cgroup v2.')
        : lacks(
            'cgroups',
            'cgroup v1: an out-of-memory kill of a child is not reported.',
            'Boot with systemd.unified_cgroup_hierarchy=1.',
          ),
    )
    return found
  })
  await look('firewall', async () => {
    const missing = await host.net.checkFirewall()
    return missing.length === 0
      ? holds(
          'firewall',
          "Members' networks reach neither each other, nor the host, nor private addresses that are not allowed.",
        )
      : lacks(
          'firewall',
          missing.join(' ') +
            (missing.some((one) => one.includes('not as DCM set it'))
              ? ' Another DCM on this machine shares these chains, and one of another version sets them its own way.'
              : ''),
          'Where DCM runs as root it puts them back within a minute; else run it as root, or put the rules of docs/security.md in place yourself.',
        )
  })
  await look('objects', async () => {
    const { containers, networks } = await findStrays(works, settings.hostId, await host.engine.list())
    const strange = [...containers, ...networks]
    return strange.length === 0
      ? holds('objects', "Docker has nothing under this DCM's name that DCM does not know of.")
      : lacks(
          'objects',
          `Docker has ${strange.slice(0, 5).join(', ')}${strange.length > 5 ? ` and ${strange.length - 5} more` : ''} under this DCM's name, which DCM does not know of and leaves alone.`,
          'Remove them with docker rm or docker network rm when nobody needs them.',
        )
  })
  await look('disk quota', async () => {
    const { hard, why } = await host.files.proveQuota()
    return hard
      ? holds('disk quota', `Storage is limited hard: ${why}`)
      : lacks(
          'disk quota',
          `Storage is measured, not limited: ${why} Whoever is over cannot create, start or commit.`,
          'Run DCM as root on a machine with loop devices and xfs.',
        )
  })
  await look('addresses', async () => {
    const pool = parseSubnet(settings.subnetPool)!
    const [used, routes] = [await store.hosts.networks(settings.hostId), await host.net.routes()]
    const clash = routes
      .map(parseSubnet)
      .filter(
        (route) => route && route.first <= pool.last && route.last >= pool.first && route.last - route.first > 63,
      ).length
    const room = Math.floor((pool.last - pool.first + 1) / 64)
    return used.length < room && clash === 0
      ? holds('addresses', `${used.length} of ${room} subnets of ${settings.subnetPool} are in use.`)
      : lacks(
          'addresses',
          `${used.length} of ${room} subnets of ${settings.subnetPool} are in use${clash > 0 ? ', and a route of this machine overlaps it' : ''}.`,
          'Set DCM_SUBNET_POOL to a larger range that is free.',
        )
  })
  await look('ports', async () => {
    const { low, high } = await host.net.ephemeralPorts()
    const { ports } = settings
    return ports.high < low || ports.low > high
      ? holds('ports', `Ports ${ports.low} to ${ports.high} are outside the kernel's own range.`)
      : lacks(
          'ports',
          `Ports ${ports.low} to ${ports.high} overlap the kernel's own range ${low} to ${high}, so one may be busy.`,
          'Set DCM_PORT_RANGE below it.',
        )
  })
  await look('disk space', async () => {
    const free = await host.files.free()
    const least = Math.min(free.engine / free.engineTotal, free.data / free.dataTotal)
    const says = `${formatSize(free.engine)} free for Docker, ${formatSize(free.data)} for storage.`
    return least > 0.1
      ? holds('disk space', says)
      : lacks('disk space', says, 'Make room: below 5 % DCM stops containers of members who are over their quota.')
  })
  await look('clock', async () => {
    // Grants and tokens expire by the database's clock, the engine's states are told by its own.
    const [database, info] = [await store.site.clock(), await host.engine.info()]
    const apart = (other: Date | undefined) => (other ? Math.abs(other.getTime() - works.now().getTime()) : 0)
    const most = Math.max(apart(database), apart(info.now))
    return most < 5000
      ? holds(
          'clock',
          `DCM, Docker and the database agree that it is ${works.now().toISOString().slice(0, 19).replace('T', ' ')} UTC.`,
        )
      : lacks(
          'clock',
          `The clocks of DCM, Docker and the database are ${Math.round(most / 1000)} s apart.`,
          'Let all of them follow one time server.',
        )
  })
  checks.push(
    store.kind === 'postgres'
      ? holds('database', 'PostgreSQL.')
      : lacks(
          'database',
          'The embedded database survives a killed process, but not a power cut.',
          'Set DATABASE_URL to a PostgreSQL.',
        ),
  )
  return checks
}
