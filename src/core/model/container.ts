import type { Restart } from './grant.ts'
import type { Joined, NetworkRef, Placed } from './network.ts'
import type { Mounted } from './volume.ts'

/** What the engine was last seen to say of a container; `missing`: its engine object is gone. */
export const states = [
  'creating',
  'created',
  'running',
  'paused',
  'restarting',
  'exited',
  'dead',
  'missing',
  'removing',
] as const
export type State = (typeof states)[number]

/** What is wanted of a container; the database says it and reconciling makes it so. */
export type Desired = 'running' | 'paused' | 'exited' | 'removed'

export type Proto = 'tcp' | 'udp'

/** A published port: `container` inside, `host` outside, chosen by DCM unless a grant named it. */
export type Port = { container: number; proto: Proto; host: number; purpose: 'ssh' | 'public' }

/**
 * From where a port that was added can be reached: from this machine alone and through its SSH door, at the site's address
 * for ports, or at every address of this machine.
 */
export const reaches = ['me', 'site', 'public'] as const
export type Reach = (typeof reaches)[number]

/** A port that was opened while the container was there: a forwarder beside it hands it on, until it ends. */
export type AddedPort = { container: number; proto: Proto; host: number; reach: Reach; expiresAt: Date | null }

/** Limits that every container has: memory in bytes, cpus in thousandths, pids a count. */
export type Limits = { memory: number; cpus: number; pids: number }

/** What was asked for at create and can only change by making the container anew. */
export type Spec = {
  /** `NAME=value`, as given by `-e`. */
  env: string[]
  /** The argv that runs beside sshd; empty: none. */
  command: string[]
  restart: Restart
  caps: string[]
  /** Names in the admin's device list. */
  devices: string[]
  /** Name of an admin's seccomp profile; null: the engine's default. */
  seccomp: string | null
  volumes?: Mounted[]
  /** False: its owner's storage is not to be seen in it. */
  storage?: false
  /** The network that it is made on, where that is not its owner's main one. */
  network?: NetworkRef
  /**
   * The composition that it is a part of, and as what: the others find it by that name too, on the network that it is
   * made on, or on those that the file names.
   */
  compose?: { project: string; service: string; networks?: Placed[] }
  /** False: coming in by SSH does not start it. */
  wake?: false
}

/** Signals that may be sent to a container's first process. STOP is not among them: that is what pause is for. */
export const signals = ['HUP', 'INT', 'QUIT', 'KILL', 'USR1', 'USR2', 'TERM', 'CONT', 'WINCH'] as const
export type Signal = (typeof signals)[number]

/** Reads a signal in any of the usual spellings: `TERM`, `SIGTERM`, `term`. */
export const parseSignal = (text: string): Signal | undefined =>
  signals.find((signal) => signal === text.toUpperCase().replace(/^SIG/, ''))

/** What may be shared: looking at it; also entering it through DCM; also entering it at its own port with one's own keys. */
export const shareLevels = ['view', 'exec', 'ssh'] as const
export type ShareLevel = (typeof shareLevels)[number]

/** A share in force. */
export type Share = { guestId: string; level: ShareLevel }

/** How somebody calls a container: one's own by its name, another's by both. */
export const calledBy = (personId: string, container: Pick<Container, 'ownerId' | 'owner' | 'name'>): string =>
  container.ownerId === personId ? container.name : `${container.owner}/${container.name}`

/** A container as the database knows it. `owner` is the member's name, for words only. */
export type Container = {
  id: string
  ownerId: string
  owner: string
  hostId: string
  name: string
  engineId: string | null
  engineName: string
  imageId: string | null
  /** The engine's id of what it was made from, which its image may not be any more. */
  imageEngineId: string
  imageRef: string
  /** The offered image that it was made from, as it is now; null where it is a member's own, or there no more. */
  offered: { ref: string; engineId: string; useInstead: string | null } | null
  state: State
  desired: Desired
  limits: Limits
  spec: Spec
  /** Those that it was made with. */
  ports: Port[]
  added: AddedPort[]
  /** Networks that it has joined beside the one that it was made on. */
  joined: Joined[]
  /** Whether the image brings an sshd, so that the container's own port answers SSH. */
  ssh: boolean
  /** SHA256 fingerprint and public line of the container's host key. */
  fingerprint: string
  hostKey: string
  exitCode: number | null
  /** Exit code of the command that ran beside sshd, once it has ended. */
  commandExit: number | null
  /** Why it is not as wanted, in one sentence; null when nothing is wrong. */
  trouble: string | null
  /** With whom it is shared now. */
  shares: Share[]
  /** What its owner wrote about it. */
  note: string
  /** When it is removed; null: never. */
  expiresAt: Date | null
  /** Until when it is not stopped for being idle. */
  keepUntil: Date | null
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
}

/** The names by which a container is found on a network, its own first. */
export function foundAs({ name, ownerId, spec }: Pick<Container, 'name' | 'ownerId' | 'spec'>, id: string): string[] {
  const { compose } = spec
  if (!compose) return [name]
  const placed = (compose.networks ?? [{ id: spec.network?.id ?? ownerId, aliases: [] }]).find((one) => one.id === id)
  return placed ? [...new Set([name, compose.service, ...placed.aliases])] : [name]
}

/** The container's own SSH port on the host, or undefined when its image has no sshd. */
export const sshPort = (container: Container): number | undefined =>
  container.ports.find((port) => port.purpose === 'ssh')?.host

/** Ports that a member asked for, without the one for SSH. */
export const publicPorts = (container: Container): Port[] => container.ports.filter((port) => port.purpose === 'public')
