import type { Writable } from 'node:stream'
import type { Limits, Proto, Reach, Signal } from '../model/container.ts'
import type { Restart } from '../model/grant.ts'
import type { Anatomy } from '../model/image.ts'
import type { Change, Load, Process } from '../model/look.ts'
import type { Credential, Remote } from '../model/registry.ts'

/** Everything that a create request is built from. There is no other way to say anything to the engine's create. */
export type ContainerWish = {
  /** Unique name in the engine, made by DCM from the operation's id: `dcm-<instance>-…`. */
  engineName: string
  /** Id of the container's row, and of its owner; for labels, which are hints only. */
  id: string
  ownerId: string
  /** The member's name for it: host name, and alias on their network. */
  name: string
  /** Other aliases on their network. */
  aliases?: string[]
  /** Engine name of the member's network. */
  network: string
  /** `sha256:…` */
  imageId: string
  env: string[]
  /** Runs beside sshd; empty: none. */
  command: string[]
  restart: Restart
  limits: Limits
  /** Granted capabilities beyond the base set. */
  caps: string[]
  /** Paths of granted devices on the host, from the admins' list. */
  devices: string[]
  /** A seccomp profile's JSON from the admins' list; null: the engine's default. */
  seccomp: string | null
  ports: { container: number; proto: Proto; host: number }[]
  /** Folders on the host, from `Files`. `storage`: null where it is not to be seen. */
  mounts: { run: string; storage: string | null; volumes?: { source: string; path: string; readOnly: boolean }[] }
  /** Whether the image brings sshd. */
  ssh: boolean
}

/**
 * A port that is handed on to a container that is there already, by a small container of DCM's own beside it. `target`:
 * the engine name of the container that it leads to, which the DNS of their network knows.
 */
export type ForwardWish = {
  engineName: string
  ownerId: string
  network: string
  target: string
  container: number
  proto: Proto
  host: number
  reach: Reach
}

/** What the engine says of a container. */
export type Seen = {
  engineId: string
  engineName: string
  /** Value of the label `dcm.id`: a hint. */
  id: string | undefined
  state: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  /** Only from `inspect`; the list does not say. */
  exitCode?: number
  oomKilled?: boolean
  startedAt?: Date | null
  finishedAt?: Date | null
  restarts?: number
  imageId: string
  /** Aliases on its networks, and the engine names of those, from `inspect`. */
  aliases?: string[]
  networks?: string[]
}

/** How far something is: bytes that went over the wire, of all that are known of by then. */
export type Moved = { done: number; all: number }

/** Where an OpenSSH server may be in an image. */
export const sshPaths = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd', '/sbin/sshd']

/** What the engine says of an image. */
export type SeenImage = {
  engineId: string
  size: number
  layers: number
  env: string[]
  labels: Record<string, string>
  /** Paths that the image declares as VOLUME. */
  volumes: string[]
  entrypoint: string[]
  command: string[]
}

/** Something happened to a container of this instance. `at` is the engine's clock. */
export type HostEvent = {
  engineId: string
  id: string | undefined
  kind: 'create' | 'start' | 'die' | 'stop' | 'kill' | 'pause' | 'unpause' | 'destroy' | 'rename' | 'oom'
  exitCode?: number
  at: Date
}

/** What the engine says of itself and its machine. Memory and disk in bytes. */
export type EngineInfo = {
  version: string
  api: string
  cpus: number
  memory: number
  storageDriver: string
  cgroup: string
  /** The user namespace's first uid and gid on the host; null: containers' root is the host's root. */
  remap: { uid: number; gid: number } | null
  seccomp: boolean
  /** The time by the engine's clock, where it tells. */
  now?: Date
  liveRestore: boolean
  rootDir: string
  defaultAddressPools: { base: string; size: number }[]
}

export type LogOptions = { tail?: number; since?: Date; until?: Date; timestamps?: boolean }
export type LogChunk = { stream: 'stdout' | 'stderr'; data: Buffer }

/** A program to run inside a running container, as its root or another user of its. `tty`: on a terminal of this size; null: on three pipes. */
export type ExecWish = {
  argv: string[]
  env: string[]
  user?: string
  tty: { columns: number; rows: number } | null
  /** It is given nothing to read. An input that is only ended at once would not do: see host/docker/exec.ts. */
  input?: false
}

/** A program that runs inside a container. */
export type Exec = {
  /** Its standard input; `end` is its end of file (on a terminal there is none: type it). */
  input: Writable
  /** What it prints, in order, at the reader's pace; on a terminal everything is stdout. @throws HostError `down` */
  output: AsyncIterable<LogChunk>
  /** Tells a new size of the terminal. */
  resize(columns: number, rows: number): Promise<void>
  /** Its exit code, once `output` has ended; null when the engine does not know. @throws HostError */
  exit(): Promise<number | null>
  /** Lets go of it; it does not end the program. */
  close(): void
}

export type CommitOptions = {
  ref: string
  message: string
  author: string
  /** Names of variables to blank. */ blankEnv: string[]
  /** What the image says of itself; what any snapshot says when absent. */
  config?: ImageConfig
}

/** What an image that was built says of itself. `env` as NAME=value, without what its base sets; no value has control characters. */
export type ImageConfig = {
  entrypoint: string[]
  command: string[]
  env: string[]
  user: string
  folder: string
  exposes: string[]
  labels: Record<string, string>
}

/** The Docker Engine. Containers are addressed by the engine's full id, never by what a member typed. */
export type Engine = {
  /** Resolves when the engine answers. @throws HostError `down` */
  ping(): Promise<void>
  info(): Promise<EngineInfo>

  /** Creates a container; one that an earlier try of the same `engineName` made is adopted. @returns its full id */
  create(wish: ContainerWish): Promise<{ engineId: string }>
  /** Finds a container by the name DCM made; undefined when there is none. */
  find(engineName: string): Promise<Seen | undefined>
  /** @throws HostError `gone` */
  inspect(engineId: string): Promise<Seen>
  /** Every container of this instance, in one call. */
  list(): Promise<Seen[]>
  /** Starts; already running is success. @throws HostError `taken` when a port is held by something else */
  start(engineId: string): Promise<void>
  /** SIGTERM, then SIGKILL after `seconds`; already stopped is success. */
  stop(engineId: string, seconds: number): Promise<void>
  pause(engineId: string): Promise<void>
  unpause(engineId: string): Promise<void>
  /** Kills and removes with its anonymous volumes; already gone is success. */
  remove(engineId: string): Promise<void>
  /** Makes the container part of a network under these aliases, and no others; one that is on it under others leaves it for a moment. */
  alias(engineId: string, network: string, aliases: readonly string[]): Promise<void>
  /** Takes the container off a network; not on it is success. */
  leave(engineId: string, network: string): Promise<void>
  /** The log, oldest first; ends when what was there has been read. */
  logs(engineId: string, options: LogOptions, signal?: AbortSignal): AsyncIterable<LogChunk>
  /** Its file system as a tar, without what is mounted into it, at the reader's pace. @throws HostError */
  export(engineId: string, signal?: AbortSignal): AsyncIterable<Buffer>
  /** Starts a program in a running container. @throws HostError `gone`, or `taken` while it is stopped or paused */
  exec(engineId: string, wish: ExecWish): Promise<Exec>
  /** What runs inside. @throws HostError `taken` while it does not run */
  processes(engineId: string): Promise<Process[]>
  /** What a running container takes now, measured over about a second; undefined while it does not run. */
  load(engineId: string): Promise<Load | undefined>
  /** Paths that differ from the image, in the engine's order; at most `most`, and how many there are in all. */
  changes(engineId: string, most: number): Promise<{ changes: Change[]; total: number }>
  /** Sends a signal to what runs first inside. @throws HostError `taken` while it does not run */
  kill(engineId: string, signal: Signal): Promise<void>
  /** Gives a container other limits, at once. */
  update(engineId: string, limits: Limits): Promise<void>
  /** Bytes that each container of this instance has written to its own layer, by engine id. */
  layerSizes(): Promise<Map<string, number>>

  /**
   * Makes sure that a port is handed on, and goes on by itself whatever else stops; one that leads elsewhere is replaced.
   * @throws HostError `taken` when something else holds the port
   */
  forward(wish: ForwardWish): Promise<void>
  /** Every forwarder of this instance, in one call. No other list or event has them. */
  forwards(): Promise<{ engineName: string; target: string; running: boolean }[]>
  /** Already gone is success. */
  unforward(engineName: string): Promise<void>

  /** Saves a container's file system as an image named `ref`, flattening it first where layers run out. @returns its id and size */
  commit(engineId: string, options: CommitOptions): Promise<SeenImage>
  /** Undefined when the engine has no such image. */
  image(ref: string): Promise<SeenImage | undefined>
  /** What is inside an image. @throws HostError `gone` */
  inside(engineId: string): Promise<Anatomy>
  /**
   * Whether a registry knows this login; the engine keeps it not. @returns what is sent from now on
   * @throws HostError `refused` with a reason, as of each that asks a registry
   */
  login(registry: string, credential: { username: string; password: string }): Promise<Credential>
  /** What a registry has under this name now. Platforms as `linux/amd64`. @throws HostError */
  resolve(remote: Remote, credential: Credential | null): Promise<{ digest: string; platforms: string[] }>
  /** Brings an image from a registry, under its digest and no name that could be another's. @throws HostError */
  pull(
    remote: Remote & { digest: string },
    credential: Credential | null,
    progress: (moved: Moved) => void,
    signal?: AbortSignal,
  ): Promise<SeenImage>
  /** Sends an image to a registry; it has that name on the engine until `release`. @throws HostError `taken` when another has */
  push(
    engineId: string,
    remote: Remote & { tag: string },
    credential: Credential | null,
    progress: (moved: Moved) => void,
    signal?: AbortSignal,
  ): Promise<void>
  /** Takes a registry's name off an image; already gone, or another's by now, is success. */
  release(remote: Remote, engineId: string): Promise<void>
  /** Every image tag of this instance (`dcm/<instance>/…`). */
  imageTags(): Promise<{ ref: string; engineId: string }[]>
  tag(engineId: string, ref: string): Promise<void>
  /** Removes one tag, and the image when that was its last; already gone is success. @throws HostError `taken` when a container needs it */
  untag(ref: string): Promise<void>
  /** Builds `ref` from a folder of the site's with a Dockerfile; `say` gets its log, line by line. `fresh`: from nothing. */
  build(folder: string, ref: string, say: (line: string) => void, how?: { fresh?: boolean }): Promise<SeenImage>
  /** Whether an image has an executable at one of these paths; looked up in a container that is never started. */
  imageHas(engineId: string, paths: string[]): Promise<boolean>

  /** Makes a member's network; one that an earlier try made is adopted. */
  createNetwork(network: { name: string; bridge: string; subnet: string; ownerId: string }): Promise<void>
  /** Already gone is success. @throws HostError `taken` while containers are on it */
  removeNetwork(name: string): Promise<void>
  /** Networks of every kind on this engine, so that a new subnet avoids them. */
  networks(): Promise<{ name: string; subnets: string[]; own: boolean }[]>

  /**
   * What happened while nobody listened: whether the engine was started anew since then, and the exit codes of this
   * instance's containers that it saw end meanwhile, by engine id.
   */
  gap(since: Date): Promise<{ restarted: boolean; exits: Map<string, number> }>

  /**
   * Events of this instance's containers, from now on. Ends when the link is lost or silent for too long; the caller
   * then lists anew. `ready` is called when the engine has accepted the subscription.
   */
  events(signal: AbortSignal, ready: () => void): AsyncIterable<HostEvent>
}
