import { z } from 'zod'
import { type Container, publicPorts, sshPort } from '../model/container.ts'
import type { Place } from '../model/place.ts'
import { formatCpus, formatDuration, formatSize } from '../model/units.ts'

/** Machine data of one container: what `create`, `inspect` and `ssh` give. */
export const containerData = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string(),
  state: z.string(),
  desired: z.string(),
  image: z.string(),
  ssh: z.string().nullable().describe('A line that works when pasted; null when the image has no sshd.'),
  host: z.string(),
  port: z.number().int().nullable(),
  user: z.string(),
  fingerprint: z.string().nullable().describe("SHA256 of the container's host key."),
  ports: z.array(
    z.object({ container: z.number().int(), proto: z.string(), host: z.string(), port: z.number().int() }),
  ),
  memory: z.number().int().describe('Bytes.'),
  cpus: z.number(),
  pids: z.number().int(),
  exit_code: z.number().int().nullable(),
  command: z.array(z.string()),
  command_exit: z.number().int().nullable(),
  trouble: z.string().nullable(),
  created_at: z.string(),
  started_at: z.string().nullable(),
})

/** The line that reaches a container's own sshd, as its owner pastes it. */
export function sshLine(container: Container, place: Place): string | null {
  const port = sshPort(container)
  return port === undefined ? null : `ssh -p ${port} root@${place.publicHost}`
}

/** A container as machine data. */
export const toData = (container: Container, place: Place): z.infer<typeof containerData> => ({
  id: container.id,
  name: container.name,
  owner: container.owner,
  state: container.state,
  desired: container.desired,
  image: container.imageRef,
  ssh: sshLine(container, place),
  host: place.publicHost,
  port: sshPort(container) ?? null,
  user: 'root',
  fingerprint: container.ssh ? container.fingerprint : null,
  ports: publicPorts(container).map((port) => ({
    container: port.container,
    proto: port.proto,
    host: place.publicHost,
    port: port.host,
  })),
  memory: container.limits.memory,
  cpus: container.limits.cpus / 1000,
  pids: container.limits.pids,
  exit_code: container.exitCode,
  command: container.spec.command,
  command_exit: container.commandExit,
  trouble: container.trouble,
  created_at: container.createdAt.toISOString(),
  started_at: container.startedAt?.toISOString() ?? null,
})

/** `80 -> 127.0.0.1:20017` for each public port. */
export const portList = (container: Container, place: Place): string =>
  publicPorts(container)
    .map((port) => `${port.container}${port.proto === 'udp' ? '/udp' : ''} -> ${place.publicHost}:${port.host}`)
    .join(', ')

/** What a person wants to know at once: how to get in, and what is open. */
export function toFields(container: Container, place: Place): Record<string, string> {
  const line = sshLine(container, place)
  return {
    name: container.name,
    state: container.state,
    image: container.imageRef,
    ...(line
      ? {
          ssh: line,
          host: place.publicHost,
          port: String(sshPort(container)),
          user: 'root',
          fingerprint: container.fingerprint,
        }
      : { ssh: 'its image has no SSH server' }),
    ...(publicPorts(container).length > 0 ? { ports: portList(container, place) } : {}),
    limits: `${formatSize(container.limits.memory)} memory, ${formatCpus(container.limits.cpus)} CPUs, ${container.limits.pids} processes`,
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
