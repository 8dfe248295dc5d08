import { randomBytes } from 'node:crypto'
import type { Anatomy } from '../../../src/core/model/image.ts'
import type { Change, Load, Process } from '../../../src/core/model/look.ts'
import { containerId } from '../../../src/core/host/docker/names.ts'
import type {
  ContainerWish,
  EngineInfo,
  ExecWish,
  ForwardWish,
  HostEvent,
  LogChunk,
  Seen,
  SeenImage,
} from '../../../src/core/host/engine.ts'
import { HostError } from '../../../src/core/host/fault.ts'
import type { RunFolder } from '../../../src/core/host/files.ts'

/** A program inside a fake container; ends with its exit code. */
export type FakeProgram = (wish: ExecWish, input: AsyncIterable<Buffer>) => AsyncGenerator<LogChunk, number>

/** What runs when no test says otherwise: as cat does. */
async function* cat(_: ExecWish, input: AsyncIterable<Buffer>): AsyncGenerator<LogChunk, number> {
  for await (const data of input) yield { stream: 'stdout', data }
  return 0
}

export type FakeContainer = Seen & {
  wish: ContainerWish
  log: LogChunk[]
  written: number
  /** By network, the aliases there. */
  joined: Map<string, readonly string[]>
  load: Load
  changes: Change[]
  processes?: Process[]
  startedAt: Date | null
  finishedAt: Date | null
}

export type FakeImage = SeenImage & { has: string[]; inside: Partial<Anatomy> }

export type FakeAccount = { username: string; password: string }
export type FakeRegistry = {
  account: FakeAccount | undefined
  images: Map<string, { digest: string; image: FakeImage }>
}

export const hex = (): string => randomBytes(32).toString('hex')
export const gone = (what: string): HostError => new HostError('gone', `There is no such ${what}.`, { status: 404 })
export const listening = new Set<Seen['state']>(['running', 'paused', 'restarting'])

/** What a fake host has, and what all of its parts ask of that. */
export function createState(options: { instance?: string; now?: () => number }) {
  const instance = options.instance ?? 'fake'
  const now = options.now ?? Date.now
  const containers = new Map<string, FakeContainer>()
  const strangers = new Map<string, string>()
  const images = new Map<string, FakeImage>()
  const tags = new Map<string, string>()
  const networks = new Map<string, { bridge: string; subnet: string; ownerId: string }>()
  const forwards = new Map<string, ForwardWish & { running: boolean }>()
  const runs = new Map<string, RunFolder>()
  const storages = new Map<string, { limit: number; used: number }>()
  const volumes = new Set<string>()
  /** What is not the device that its path looks like. */
  const devices = new Map<string, 'disk' | 'nothing'>([['/dev/no-such', 'nothing']])
  const registries = new Map<string, FakeRegistry>()
  const occupied = new Set<number>()
  /** What an engine remembers of its events, for as long as it runs. */
  const exits = new Map<string, { code: number; at: Date }>()
  const listeners = new Set<{ push: (event: HostEvent) => void; end: () => void }>()
  const state = {
    restartedAt: new Date(0),
    program: cat as FakeProgram,
    absent: false,
    greeting: null as string | null,
    firewall: [] as string[],
    free: { engine: 100 * 2 ** 30, data: 100 * 2 ** 30, engineTotal: 200 * 2 ** 30, dataTotal: 200 * 2 ** 30 },
    info: {
      version: '20.10.24',
      api: '1.41',
      cpus: 4,
      memory: 16 * 2 ** 30,
      storageDriver: 'overlay2',
      cgroup: '2',
      remap: null,
      seccomp: true,
      liveRestore: true,
      rootDir: '/var/lib/docker',
      defaultAddressPools: [],
    } as EngineInfo,
  }

  const emit = (container: FakeContainer, kind: HostEvent['kind'], exitCode?: number) => {
    const event: HostEvent = { engineId: container.engineId, id: container.id, kind, at: new Date(now()) }
    if (exitCode !== undefined) event.exitCode = exitCode
    if (kind === 'die') exits.set(container.engineId, { code: exitCode ?? 255, at: event.at })
    for (const listener of listeners) listener.push(event)
  }

  const must = (engineId: string): FakeContainer => {
    const container = containers.get(containerId(engineId))
    if (!container) throw gone('container')
    return container
  }

  const end = (container: FakeContainer, code: number) => {
    container.state = 'exited'
    container.exitCode = code
    container.finishedAt = new Date(now())
    emit(container, 'die', code)
  }

  const portTaken = (port: number, but?: string): boolean =>
    occupied.has(port) ||
    [...forwards.values()].some((other) => other.engineName !== but && other.running && other.host === port) ||
    [...containers.values()].some(
      (other) =>
        other.engineId !== but && listening.has(other.state) && other.wish.ports.some((mine) => mine.host === port),
    )

  return {
    instance,
    now,
    state,
    containers,
    strangers,
    images,
    tags,
    networks,
    forwards,
    runs,
    storages,
    volumes,
    devices,
    registries,
    occupied,
    exits,
    listeners,
    emit,
    must,
    end,
    portTaken,
  }
}

export type World = ReturnType<typeof createState>
