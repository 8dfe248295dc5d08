import { HostError } from '../fault.ts'
import type { Host } from '../host.ts'
import { createAid } from './aid.ts'
import { createEngine } from './engine.ts'
import { createFiles } from './files.ts'
import { createNet } from './net.ts'
import { createWire } from './wire.ts'

/** Where a host tells what an operator should know: what it is about, then a sentence. */
export type HostLog = Record<'info' | 'warn' | 'error', (object: Record<string, unknown>, message: string) => void>

/** What `createDockerHost` takes; nothing is read from the environment. */
export type DockerHostOptions = {
  /** Id of the host in DCM's database. */
  id: string
  /** Instance id, in every name and label that this host makes. */
  instance: string
  /** DCM's data folder; folders that containers mount are made below it. */
  dataDir: string
  /** `unix:///path` or `tcp://host:port`. */
  dockerHost: string
  /** Folder with `ca.pem`, `cert.pem` and `key.pem`, for an engine over TLS. */
  certPath?: string | undefined
  /** False: the engine's certificate is not checked. */
  tlsVerify?: boolean | undefined
  /** Address of this machine that containers' ports bind to. */
  bindHost: string
  /** Entries of `DCM_EGRESS_ALLOW`: what containers may reach inside. */
  egressAllow: readonly string[]
  log: HostLog
  now: () => number
}

/**
 * This machine with its Docker Engine. Nothing is called before it is used, so an engine that is away is no error here.
 * `close` ends idle connections.
 * @throws HostError `refused` when an option cannot be read
 */
export function createDockerHost(options: DockerHostOptions): Host & { close(): void } {
  if (!/^[a-z0-9]{1,12}$/.test(options.instance))
    throw new HostError('refused', 'The instance id is 1 to 12 of a-z and 0-9.')
  const wire = createWire(options)
  const aid = createAid(wire, options.instance)
  const engine = createEngine(wire, aid, options)
  const files = createFiles({
    dataDir: options.dataDir,
    instance: options.instance,
    engine,
    aid,
    warn: (facts, message) => options.log.warn(facts, message),
  })
  return {
    id: options.id,
    engine: {
      ...engine,
      async create(wish) {
        await files.checkMounts(wish)
        return engine.create(wish)
      },
    },
    files,
    net: createNet(options),
    close: () => wire.close(),
  }
}
