import { z } from 'zod'
import { count } from '../model/count.ts'
import { type AddedPort, type Container, type Port, publicPorts, sshPort } from '../model/container.ts'
import type { Place } from '../model/place.ts'
import { formatTime } from '../model/time.ts'
import { formatDuration, formatSize, nameCpus } from '../model/units.ts'

/** One open port as machine data. `container` is the port inside, `port` the one outside. */
const openPort = z.object({
  container: z.number().int(),
  proto: z.string(),
  host: z.string(),
  port: z.number().int(),
  share: z.string().describe('From where it is reached: me (this machine), site (as all ports here) or public.'),
  expires_at: z.string().nullable().describe('When it is closed; null: never.'),
})

/** The same with the name of its container. */
export const portData = openPort.extend({ name: z.string() })

/** Machine data of one container: what `create`, `inspect` and `ssh` give. */
export const containerData = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string(),
  state: z.string(),
  desired: z.string(),
  image: z.string(),
  ssh: z
    .string()
    .nullable()
    .describe('A line that works when pasted; null when there is no sshd in the image and no SSH door.'),
  host: z.string(),
  port: z.number().int().nullable(),
  user: z.string(),
  fingerprint: z
    .string()
    .nullable()
    .describe("SHA256 of the container's host key, or the door's where it is reached through that."),
  ports: z.array(openPort),
  memory: z.number().int().describe('Bytes.'),
  cpus: z.number(),
  pids: z.number().int(),
  exit_code: z.number().int().nullable(),
  volumes: z.array(z.object({ name: z.string(), path: z.string(), read_only: z.boolean() })),
  networks: z.array(z.string()).describe('Beside or instead of the main one.'),
  command: z.array(z.string()),
  command_exit: z.number().int().nullable(),
  trouble: z.string().nullable(),
  note: z.string(),
  expires_at: z.string().nullable().describe('When it is removed; null: never.'),
  keep_until: z.string().nullable().describe('Until when it is not stopped for being idle.'),
  created_at: z.string(),
  started_at: z.string().nullable(),
})

/** How a container is reached: by its own sshd, or else through the SSH door; null where there is neither. */
function way(container: Container, { ssh }: Place): { port: number; user: string; fingerprint: string } | null {
  const port = sshPort(container)
  if (port !== undefined) return { port, user: 'root', fingerprint: container.fingerprint }
  return ssh ? { port: ssh.port, user: `${container.owner}+${container.name}`, fingerprint: ssh.fingerprint } : null
}

/** The line that logs in to a container, as its owner pastes it. */
export function sshLine(container: Container, place: Place): string | null {
  const found = way(container, place)
  return found && `ssh -p ${found.port} ${found.user}@${place.publicHost}`
}

/** What runs a program in a container with its input, and gives all that it prints; `by`: who types it. */
export function wholeLine(container: Container, by: string, place: Place): string {
  const { owner, name } = container
  const login = by === owner ? `${owner}+${name}` : `${by}+${owner}/${name}`
  const line = place.ssh ? `ssh -p ${place.ssh.port} ${login}@${place.publicHost}` : sshLine(container, place)
  return line ? `${line} -- …` : 'a file in /storage that cp copies out'
}

/** The line that reaches a container's own sshd through the SSH door, by name; null where one of the two is missing. `by`: who types it. */
export function jumpLine(container: Container, by: string, { ssh, publicHost }: Place): string | null {
  const { owner, name } = container
  if (!ssh || sshPort(container) === undefined) return null
  return `ssh -J ${by}@${publicHost}:${ssh.port} root@${by === owner ? name : `${owner}/${name}`}`
}

/** A port that it was made with, or one that was added. */
type Open = Pick<Port, 'container' | 'proto' | 'host'> & Partial<Pick<AddedPort, 'reach' | 'expiresAt'>>

/** Every open port of a container but SSH: those that it was made with, then those that were added. */
export const allPorts = (container: Container): Open[] => [...publicPorts(container), ...container.added]

/** How a port inside is called: `8080`, `53/udp`. */
export const called = (port: Pick<Port, 'container' | 'proto'>): string =>
  `${port.container}${port.proto === 'udp' ? '/udp' : ''}`

const hostOf = (port: Open, place: Place) => (port.reach === 'me' ? '127.0.0.1' : place.publicHost)

/** Where a port is reached: `127.0.0.1:20017`. */
export const addressOf = (port: Open, place: Place): string => `${hostOf(port, place)}:${port.host}`

const toOpen = (port: Open, place: Place): z.infer<typeof openPort> => ({
  container: port.container,
  proto: port.proto,
  host: hostOf(port, place),
  port: port.host,
  share: port.reach ?? 'site',
  // What an operation has stored and read again has no dates in it.
  expires_at: port.expiresAt ? new Date(port.expiresAt).toISOString() : null,
})

/** What its member calls the networks that it is on, without the main one. */
export const networksOf = (container: Container): string[] => [
  ...(container.spec.network ? [container.spec.network.name] : []),
  ...container.joined.map((network) => network.name),
]

/** One port as machine data. */
export const toPort = (container: Container, port: Open, place: Place): z.infer<typeof portData> => ({
  name: container.name,
  ...toOpen(port, place),
})

/** A container as machine data. */
export const toData = (
  container: Container,
  place: Place,
  found = way(container, place),
): z.infer<typeof containerData> => ({
  id: container.id,
  name: container.name,
  owner: container.owner,
  state: container.state,
  desired: container.desired,
  image: container.imageRef,
  ssh: sshLine(container, place),
  host: place.publicHost,
  port: found?.port ?? null,
  user: found?.user ?? 'root',
  fingerprint: found?.fingerprint ?? null,
  ports: allPorts(container).map((port) => toOpen(port, place)),
  memory: container.limits.memory,
  cpus: container.limits.cpus / 1000,
  pids: container.limits.pids,
  exit_code: container.exitCode,
  volumes: (container.spec.volumes ?? []).map(({ name, path, readOnly }) => ({ name, path, read_only: readOnly })),
  networks: networksOf(container),
  command: container.spec.command,
  command_exit: container.commandExit,
  trouble: container.trouble,
  note: container.note,
  expires_at: container.expiresAt?.toISOString() ?? null,
  keep_until: container.keepUntil?.toISOString() ?? null,
  created_at: container.createdAt.toISOString(),
  started_at: container.startedAt?.toISOString() ?? null,
})

/** `80 -> 127.0.0.1:20017` for each public port. */
export const portList = (container: Container, place: Place): string =>
  allPorts(container)
    .map((port) => `${called(port)} -> ${addressOf(port, place)}`)
    .join(', ')

/** What a person wants to know at once: how to get in, and what is open. */
export function toFields(container: Container, place: Place): Record<string, string> {
  const found = way(container, place)
  return {
    name: container.name,
    state: container.state,
    image: container.imageRef,
    ...(found
      ? {
          ssh: sshLine(container, place)!,
          host: place.publicHost,
          port: String(found.port),
          user: found.user,
          fingerprint: found.fingerprint,
        }
      : { ssh: 'its image has no SSH server' }),
    ...(allPorts(container).length > 0 ? { ports: portList(container, place) } : {}),
    limits: `${formatSize(container.limits.memory)} memory, ${nameCpus(container.limits.cpus)}, ${count(container.limits.pids, 'process', 'processes')}`,
    ...(container.expiresAt ? { 'removed at': formatTime(new Date(container.expiresAt)) } : {}),
  }
}

/** How Docker words a state: `Up 5m`, `Exited (3) 2h ago`. */
export function status(container: Container, now: Date): string {
  const since = (date: Date | null) => (date ? formatDuration(now.getTime() - date.getTime()) : 'some time')
  const command = container.commandExit === null ? '' : `, command exited (${container.commandExit})`
  switch (container.state) {
    case 'running':
      return `Up ${since(container.startedAt)}${command}`
    case 'paused':
      return `Up ${since(container.startedAt)} (Paused)${command}`
    case 'exited':
    case 'dead':
      return `Exited (${container.exitCode ?? '?'}) ${since(container.finishedAt)} ago`
    case 'missing':
      return 'Missing (gone from Docker)'
    default:
      return container.state[0]!.toUpperCase() + container.state.slice(1)
  }
}

/** Of a container whose offered image was deprecated or made anew since: a word for a list, and a sentence. */
export function outdated({ offered, imageEngineId }: Container): { mark: string; says: string } | undefined {
  if (!offered) return undefined
  const { ref, engineId, useInstead } = offered
  if (useInstead !== null)
    return { mark: 'deprecated', says: `${ref} is deprecated; create from ${useInstead}, or redeploy on it.` }
  if (imageEngineId === engineId) return undefined
  return { mark: 'older', says: `${ref} was made anew since; redeploy takes it up.` }
}
