import type { Anatomy } from '../../../src/core/model/image.ts'
import type { Change, Load, Process } from '../../../src/core/model/look.ts'
import type {
  ContainerWish,
  Engine,
  EngineInfo,
  ForwardWish,
  LogChunk,
  SeenImage,
} from '../../../src/core/host/engine.ts'
import { HostError, type HostFault } from '../../../src/core/host/fault.ts'
import type { Files, RunFolder } from '../../../src/core/host/files.ts'
import type { Host } from '../../../src/core/host/host.ts'
import type { Net } from '../../../src/core/host/net.ts'
import { createEngine } from './engine.ts'
import { createFiles } from './files.ts'
import { createImages } from './images.ts'
import { createNet } from './net.ts'
import {
  createState,
  type FakeAccount,
  type FakeImage,
  type FakeProgram,
  type FakeRegistry,
  gone,
  hex,
  listening,
} from './state.ts'

export type { FakeProgram }

/** A method of a host, as `fail` and `hold` name it. */
export type FakeMethod = `engine.${keyof Engine}` | `files.${keyof Files}` | `net.${keyof Net}`

/** How a method fails: `after` its effect the answer is lost, as when the link breaks; `times` it does, once if absent. */
export type FakeFailure = { after?: boolean; times?: number; message?: string; status?: number }

/** What a test can do to a fake host, and see of it. */
export type Fake = {
  /** Every call so far, in order, but for looks at how full a storage is: a test that asserts "no engine call" looks here. */
  readonly calls: { method: FakeMethod; args: unknown[] }[]
  /** The next call of a method fails. */
  fail(method: FakeMethod, fault: HostFault, how?: FakeFailure): void
  /** Calls of a method wait before they take effect. @returns what lets them go on */
  hold(method: FakeMethod): () => void
  /** The engine answers nothing (`down`) until called with false; event streams end. */
  away(on: boolean): void
  /** The engine is started anew without live-restore: what ran has ended, and it remembers no events. */
  restart(): void
  /** Puts an image into the engine, as if somebody had built it. */
  addImage(ref: string, image?: Partial<SeenImage> & { has?: string[]; inside?: Partial<Anatomy> }): SeenImage
  /** A registry that the engine reaches, with what it has by `path:tag`; with an account only that one may push and pull. */
  registry(host: string, has?: { images?: Record<string, Partial<FakeImage>>; account?: FakeAccount }): FakeRegistry
  /** Something that is not DCM's listens on a host port. */
  occupy(port: number, on?: boolean): void
  /** The container's main process ends by itself. */
  exit(engineId: string, code: number, oom?: boolean): void
  /** Adds to a container's log. */
  write(engineId: string, text: string, stream?: LogChunk['stream']): void
  /** What a container takes while it runs, and what in it differs from its image. */
  set(engineId: string, facts: { load?: Partial<Load>; changes?: Change[]; processes?: Process[] }): void
  /** Bytes in a member's storage, or a container's layer. */
  use(what: { ownerId: string } | { engineId: string }, bytes: number): void
  /** A container that somebody made with this engine name, which is not DCM's. */
  stranger(engineName: string): string
  /** Takes a container away behind DCM's back. */
  lose(engineId: string): void
  /** What programs inside containers do from now on: gets what was asked for and its input, gives its output and exit code. */
  programs(run: FakeProgram): void
  wish(engineId: string): ContainerWish | undefined
  run(id: string): RunFolder | undefined
  networkNames(): string[]
  /** Paths of the folders that volumes are. */
  volumes(): string[]
  /** The forwarder of this engine name; undefined when there is none. */
  forward(engineName: string): (ForwardWish & { running: boolean }) | undefined
  /** A forwarder ends, or is taken away. */
  breakForward(engineName: string, gone?: boolean): void
  /** What is at a path below /dev; a device when nobody says otherwise. */
  setDevice(path: string, is: 'disk' | 'nothing'): void
  setInfo(info: Partial<EngineInfo>): void
  setFree(free: Partial<Awaited<ReturnType<Files['free']>>>): void
  setFirewall(missing: string[]): void
  /** Whether greeting succeeds for a running container; a reason: it fails with it. */
  setGreeting(why: string | null): void
}

/**
 * An in-memory host that behaves like the real one as far as `test/contracts/host.ts` says: names and ports can be
 * taken, events come, and faults can be put anywhere.
 */
export function createFakeHost(
  options: { id?: string; instance?: string; now?: () => number } = {},
): Host & { fake: Fake } {
  const world = createState(options)
  const images = createImages(world)
  const {
    state,
    now,
    containers,
    strangers,
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
  } = world
  const { addImage, makeImage } = images
  const calls: Fake['calls'] = []
  const failures: (FakeFailure & { method: FakeMethod; fault: HostFault; left: number })[] = []
  const holds = new Map<FakeMethod, Promise<void>>()

  const take = (method: FakeMethod, after: boolean): void => {
    const failure = failures.find((one) => one.method === method && (one.after ?? false) === after)
    if (!failure) return
    if (--failure.left <= 0) failures.splice(failures.indexOf(failure), 1)
    throw new HostError(failure.fault, failure.message ?? `The test made ${method} fail.`, { status: failure.status })
  }

  const before = async (method: FakeMethod, args: unknown[]): Promise<void> => {
    if (method !== 'files.storage') calls.push({ method, args })
    // As on a wire: nothing has happened yet when the caller goes on.
    await holds.get(method)
    if (state.absent && method.startsWith('engine.')) throw new HostError('down', 'The engine cannot be reached.')
    take(method, false)
  }

  /** The methods, with the test's faults around them. */
  const guard = <T extends object>(part: 'engine' | 'files' | 'net', methods: T): T =>
    Object.fromEntries(
      Object.entries(methods).map(([name, method]) => {
        const key = `${part}.${name}` as FakeMethod
        const real = method as (...args: unknown[]) => unknown
        if (name === 'logs' || name === 'events' || name === 'export')
          return [
            name,
            async function* (...args: unknown[]) {
              await before(key, args)
              yield* real(...args) as AsyncIterable<unknown>
              take(key, true)
            },
          ]
        return [
          name,
          async (...args: unknown[]) => {
            await before(key, args)
            const result = await real(...args)
            take(key, true)
            return result
          },
        ]
      }),
    ) as T

  const fake: Fake = {
    calls,
    fail: (method, fault, how = {}) => void failures.push({ ...how, method, fault, left: how.times ?? 1 }),
    hold(method) {
      const gate = Promise.withResolvers<void>()
      holds.set(method, gate.promise)
      return () => {
        if (holds.get(method) === gate.promise) holds.delete(method)
        gate.resolve()
      }
    },
    away(on) {
      state.absent = on
      if (on) for (const listener of listeners) listener.end()
    },
    restart() {
      exits.clear()
      state.restartedAt = new Date(now())
      for (const container of containers.values())
        if (listening.has(container.state))
          Object.assign(container, { state: 'exited', exitCode: 255, finishedAt: state.restartedAt })
      for (const listener of listeners) listener.end()
    },
    addImage,
    registry(host, { images: has = {}, account } = {}) {
      const made = Object.entries(has).map(([name, image]) => {
        const digest = `sha256:${hex()}`
        return [name, { digest, image: makeImage(image) }] as const
      })
      const registry = { account, images: new Map(made) }
      registries.set(host, registry)
      return registry
    },
    occupy: (port, on = true) => void (on ? occupied.add(port) : occupied.delete(port)),
    exit(engineId, code, oom = false) {
      const container = must(engineId)
      container.oomKilled = oom
      if (oom) emit(container, 'oom')
      end(container, code)
    },
    set(engineId, { load, changes, processes }) {
      const container = must(engineId)
      Object.assign(container.load, load)
      if (changes) container.changes = changes
      if (processes) container.processes = processes
    },
    write: (engineId, text, stream = 'stdout') => void must(engineId).log.push({ stream, data: Buffer.from(text) }),
    use(what, bytes) {
      if ('engineId' in what) must(what.engineId).written = bytes
      else {
        const storage = storages.get(what.ownerId)
        if (!storage) throw gone('storage')
        storage.used = bytes
      }
    },
    stranger(engineName) {
      const id = hex()
      strangers.set(engineName, id)
      return id
    },
    lose: (engineId) => void containers.delete(engineId),
    programs: (run) => void (state.program = run),
    wish: (engineId) => containers.get(engineId)?.wish,
    run: (id) => runs.get(id),
    networkNames: () => [...networks.keys()],
    volumes: () => [...volumes],
    forward: (engineName) => forwards.get(engineName),
    breakForward(engineName, lost = false) {
      const found = forwards.get(engineName)
      if (found) found.running = false
      if (lost) forwards.delete(engineName)
    },
    setDevice: (path, is) => void devices.set(path, is),
    setInfo: (more) => void (state.info = { ...state.info, ...more }),
    setFree: (more) => void (state.free = { ...state.free, ...more }),
    setFirewall: (missing) => void (state.firewall = missing),
    setGreeting: (why) => void (state.greeting = why),
  }

  return {
    id: options.id ?? 'local',
    engine: guard('engine', createEngine(world, images)),
    files: guard('files', createFiles(world)),
    net: guard('net', createNet(world)),
    fake,
  }
}
