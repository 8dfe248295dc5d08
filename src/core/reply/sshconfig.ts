import { type Container, sshPort } from '../model/container.ts'
import type { Place } from '../model/place.ts'

/** The door as ssh's known_hosts names it: with the port, where that is not 22. */
export const knownName = ({ publicHost: host, ssh }: Pick<Place, 'publicHost' | 'ssh'>): string =>
  ssh && ssh.port !== 22 ? `[${host}]:${ssh.port}` : host

const block = (host: string, settings: Record<string, string | number>) =>
  [`Host ${host}`, ...Object.entries(settings).map(([name, value]) => `  ${name} ${value}`)].join('\n')

/**
 * A member's part of ~/.ssh/config, and the host keys that belong to it; ssh_config(5). Each container has an alias of
 * its own for its key, so that one of the same name made later is not taken for an attack.
 */
export function sshConfig(
  containers: readonly Container[],
  member: string,
  prefix: string,
  place: Place,
): { config: string; knownHosts: string[]; example: string } {
  const safe = /^[A-Za-z0-9._-]{0,40}$/.test(prefix) ? prefix : ''
  const { ssh } = place
  const door = `${safe}dcm`
  const blocks = ssh ? [block(door, { HostName: place.publicHost, Port: ssh.port, User: member })] : []
  const known = ssh ? [`${knownName(place)} ${ssh.hostKey}`] : []
  for (const container of containers) {
    const name = `${safe}${container.name}`
    const port = sshPort(container)
    if (port !== undefined) {
      const way = ssh ? { HostName: container.name, ProxyJump: door } : { HostName: place.publicHost, Port: port }
      blocks.push(block(name, { ...way, User: 'root', HostKeyAlias: `dcm-${container.id}` }))
      known.push(`dcm-${container.id} ${container.hostKey}`)
    } else if (ssh)
      blocks.push(block(name, { HostName: place.publicHost, Port: ssh.port, User: `${member}+${container.name}` }))
  }
  return {
    config: blocks.join('\n\n'),
    knownHosts: known,
    example: containers[0] ? `${safe}${containers[0].name}` : '',
  }
}
