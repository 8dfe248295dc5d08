import type { Remote } from '../model/registry.ts'
import type { Repository } from '../model/repository.ts'
import type { Health } from '../model/health.ts'
import type { Limits, Proto, Reach, Signal, Spec } from '../model/container.ts'
import type { NetworkRef } from '../model/network.ts'
import type { Mounted } from '../model/volume.ts'

/** A container that another one is begun after; `health`: once that says that it is well. */
export type After = { containerId: string; name: string; health: Health | null }

/** A secret that a service takes: sealed until it is its container's, or null for one that the container has to have. */
export type SecretWish = { name: string; sealed: string | null }

/** A service of a composition, with all that was looked up for it. */
export type ServiceWish = {
  service: string
  name: string
  imageId: string
  imageRef: string
  limits: Limits
  spec: Spec
  ports: PortWish[]
  secrets?: SecretWish[]
  waits: { service: string; health: Health | null }[]
}

/** A port as wished at create: `host` only where a grant names it. */
export type PortWish = { container: number; proto: Proto; host?: number }

/** Where a build's files come from, when they are not in /storage yet. */
export type Source = { kind: 'sent' } | ({ kind: 'git' } & Repository)

/**
 * Every change that outlives a call, and what it is given: stored as JSON before anything happens, so ids and plain
 * values only. `src/operations/` holds the steps of each, under the same name.
 */
export type Intents = {
  create: {
    ownerId: string
    name: string
    imageId: string
    imageRef: string
    limits: Limits
    spec: Spec
    ports: PortWish[]
    /** Networks that it joins beside the one of its spec. */
    joins?: NetworkRef[]
    /** Milliseconds until it is removed. */
    lives?: number
    after?: After[]
  }
  start: { containerId: string }
  stop: { containerId: string; seconds: number }
  restart: { containerId: string; seconds: number }
  pause: { containerId: string }
  unpause: { containerId: string }
  /** Waits in the name of `byId` until it, or its command, has ended, for `lives` milliseconds at most; changes nothing. */
  wait: { containerId: string; byId: string; lives: number }
  kill: { containerId: string; signal: Signal }
  /** Ends a build or a job in its container; `by`: who does, for its owner to read. */
  end: { containerId: string; by: string }
  update: { containerId: string; limits: Partial<Limits> }
  clone: { containerId: string; ownerId: string; name: string }
  /** Begun by reconciling, never by a command. */
  revive: { containerId: string }
  /** Brings keys and secrets to a container's run folder; begun where they were changed by a process that does not reach it. */
  renew: { containerId: string }
  /** `ports`: all that it is to have, but for SSH; null: those it has. `seconds`: how long what runs may take to end. */
  recreate: {
    containerId: string
    imageId: string
    imageRef: string
    spec: Spec
    ports: PortWish[] | null
    health: { port: number; path: string } | null
    seconds: number
    /** Networks that it is to be on beside the one of its spec; those it has joined when absent. */
    joins?: NetworkRef[]
    after?: After[]
  }
  /** Services of a composition, each after those that it waits for; they are admitted all at once. */
  'compose-up': {
    ownerId: string
    project: string
    services: ServiceWish[]
    volumes: { id: string; name: string }[]
    networks: NetworkRef[]
  }
  'compose-stop': { ownerId: string; project: string; containers: string[]; seconds: number }
  'compose-down': { ownerId: string; project: string; containers: string[]; volumes: boolean }
  /** Opens a port of a container that is there, for `lives` milliseconds. */
  'add-port': { containerId: string; port: PortWish; reach: Reach; lives?: number }
  'remove-port': { containerId: string; port: number; proto: Proto }
  'remove-volume': { volumeId: string }
  'create-network': { ownerId: string; name: string }
  'remove-network': { networkId: string }
  'join-network': { networkId: string; containerId: string }
  'leave-network': { networkId: string; containerId: string }
  /** `stopped`: only while it is not wanted running; `expired`: only while its end is past. */
  remove: { containerId: string; stopped?: true; expired?: true }
  prune: { ownerId: string; containers: string[]; images: string[] }
  commit: { containerId: string; ownerId: string; ref: string; message: string; keepEnv: boolean }
  /**
   * `lives`: milliseconds that it may take. It is run once at most: what a crash cut off is told, not repeated.
   * `byId`: who runs it; null when DCM does by itself.
   */
  exec: { containerId: string; byId: string | null; argv: string[]; folder: string; lives: number }
  /** A container that lives for one command, and whose log and exit code are kept. */
  run: {
    ownerId: string
    imageId: string
    imageRef: string
    name: string | null
    limits: Limits
    env: string[]
    command: string[]
    volumes?: Mounted[]
    network?: NetworkRef
    joins?: NetworkRef[]
    lives: number
  }
  'remove-image': { imageId: string }
  /** The credential is no part of it: it is read, sealed, for each call. */
  pull: { ownerId: string; remote: Remote; ref: string }
  push: { ownerId: string; imageId: string; remote: Remote & { tag: string } }
  /**
   * `context`: folder below /storage; `source`: what is fetched in its place, a tar that comes with the call or a
   * repository, and with no `dockerfile` given also the one at `file` in it. `args`: NAME=value for ARG. `lives`:
   * milliseconds that it may take.
   */
  build: {
    ownerId: string
    ref: string
    dockerfile: string | null
    context: string | null
    source?: Source
    file?: string
    args: string[]
    limits: Limits
    lives: number
  }
  'tag-image': { imageId: string; ownerId: string; ref: string }
  'rebuild-image': { imageId: string }
  'offer-image': { source: string; ref: string; about: string; restricted: boolean }
  'remove-user': { personId: string; images: boolean; storage: boolean }
}

export type Intent = keyof Intents
