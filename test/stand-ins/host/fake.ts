import { createHash, randomBytes } from 'node:crypto'
import { Duplex, PassThrough } from 'node:stream'
import type { Anatomy } from '../../../src/core/model/image.ts'
import type { Change, Load, Process } from '../../../src/core/model/look.ts'
import { type Credential, formatRemote, type Remote } from '../../../src/core/model/registry.ts'
import { hostKeyFingerprint } from '../../../src/core/secret/keys.ts'
import { containerId, ownTag as readTag } from '../../../src/core/host/docker/names.ts'
import {
  type CommitOptions,
  type ContainerWish,
  type Engine,
  type EngineInfo,
  type ExecWish,
  type Files,
  type ForwardWish,
  type Host,
  HostError,
  type HostEvent,
  type HostFault,
  type LogChunk,
  type Net,
  type RunFolder,
  type Seen,
  type SeenImage,
} from '../../../src/core/host/host.ts'

/** A method of a host, as `fail` and `hold` name it. */
export type FakeMethod = `engine.${keyof Engine}` | `files.${keyof Files}` | `net.${keyof Net}`

/** How a method fails: `after` its effect the answer is lost, as when the link breaks; `times` it does, once if absent. */
export type FakeFailure = { after?: boolean; times?: number; message?: string; status?: number }

/** A program inside a fake container; ends with its exit code. */
export type FakeProgram = (wish: ExecWish, input: AsyncIterable<Buffer>) => AsyncGenerator<LogChunk, number>

/** What runs when no test says otherwise: as cat does. */
async function* cat(_: ExecWish, input: AsyncIterable<Buffer>): AsyncGenerator<LogChunk, number> {
  for await (const data of input) yield { stream: 'stdout', data }
  return 0
}

type FakeContainer = Seen & {
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

type FakeImage = SeenImage & { has: string[]; inside: Partial<Anatomy> }

type FakeAccount = { username: string; password: string }
type FakeRegistry = { account: FakeAccount | undefined; images: Map<string, { digest: string; image: FakeImage }> }

/** What a test can do to a fake host, and see of it. */
export type Fake = {
  /** Every call so far, in order: a test that asserts "no engine call" looks here. */
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
  setInfo(info: Partial<EngineInfo>): void
  setFree(free: Partial<Awaited<ReturnType<Files['free']>>>): void
  setFirewall(missing: string[]): void
  /** Whether greeting succeeds for a running container; a reason: it fails with it. */
  setGreeting(why: string | null): void
}

const hex = (): string => randomBytes(32).toString('hex')
const gone = (what: string): HostError => new HostError('gone', `There is no such ${what}.`, { status: 404 })
const listening = new Set<Seen['state']>(['running', 'paused', 'restarting'])

/**
 * An in-memory host that behaves like the real one as far as `test/contracts/host.ts` says: names and ports can be
 * taken, events come, and faults can be put anywhere.
 */
export function createFakeHost(
  options: { id?: string; instance?: string; now?: () => number } = {},
): Host & { fake: Fake } {
  const instance = options.instance ?? 'fake'
  const now = options.now ?? Date.now
  const calls: Fake['calls'] = []
  const failures: (FakeFailure & { method: FakeMethod; fault: HostFault; left: number })[] = []
  const holds = new Map<FakeMethod, Promise<void>>()
  const containers = new Map<string, FakeContainer>()
  const strangers = new Map<string, string>()
  const images = new Map<string, FakeImage>()
  const tags = new Map<string, string>()
  const networks = new Map<string, { bridge: string; subnet: string; ownerId: string }>()
  const forwards = new Map<string, ForwardWish & { running: boolean }>()
  const runs = new Map<string, RunFolder>()
  const storages = new Map<string, { limit: number; used: number }>()
  const volumes = new Set<string>()
  const registries = new Map<string, FakeRegistry>()
  const occupied = new Set<number>()
  /** What an engine remembers of its events, for as long as it runs. */
  const exits = new Map<string, { code: number; at: Date }>()
  let restartedAt = new Date(0)
  const listeners = new Set<{ push: (event: HostEvent) => void; end: () => void }>()
  let program: FakeProgram = cat
  let [absent, greeting, firewall] = [false, null as string | null, [] as string[]]
  let free = { engine: 100 * 2 ** 30, data: 100 * 2 ** 30, engineTotal: 200 * 2 ** 30, dataTotal: 200 * 2 ** 30 }
  let info: EngineInfo = {
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

  const mustImage = (ref: string): FakeImage => {
    const image = images.get(tags.get(ref) ?? ref)
    if (!image) throw gone('image')
    return image
  }

  const seen = (container: FakeContainer, inspected: boolean): Seen => {
    const { engineId, engineName, id, state, imageId } = container
    const listed = { engineId, engineName, id, state, imageId }
    if (!inspected) return listed
    const { exitCode, oomKilled, startedAt, finishedAt, restarts } = container
    return {
      ...listed,
      exitCode: exitCode!,
      oomKilled: oomKilled!,
      startedAt,
      finishedAt,
      restarts: restarts!,
      aliases: [...new Set([...container.joined.values()].flat())],
      networks: [...container.joined.keys()],
    }
  }

  const seenImage = (image: SeenImage): SeenImage => {
    const { engineId, size, layers, env, labels, volumes, entrypoint, command } = image
    return structuredClone({ engineId, size, layers, env, labels, volumes, entrypoint, command })
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

  const ownTag = (ref: string) => {
    const { repo, tag } = readTag(instance, ref)
    return `${repo}:${tag}`
  }

  const chainOf = async (engineId: string) => (await engine.inside(engineId)).chain

  const drop = (imageId: string) => {
    if ([...tags.values()].includes(imageId)) return
    images.delete(imageId)
  }

  const makeImage = (given: Partial<FakeImage>): FakeImage => ({
    ...{ engineId: `sha256:${hex()}`, size: 100 * 2 ** 20, layers: 2, env: [], labels: {}, volumes: [] },
    ...{ entrypoint: [], command: ['bash'], has: ['/usr/sbin/sshd'], inside: {} },
    ...given,
  })

  const beyond = (status: number, reason: string) =>
    new HostError('refused', `The engine answered with ${status}: ${reason}.`, { status, reason })

  /** A registry as it is to whoever comes with this credential. */
  const admitted = (host: string, credential: Credential | null): FakeRegistry => {
    const registry = registries.get(host)
    if (!registry) throw beyond(500, 'connect: connection refused')
    const { account } = registry
    const known = credential !== null && 'password' in credential && credential.password === account?.password
    if (account && !(known && credential.username === account.username))
      throw beyond(401, 'unauthorized: authentication required')
    return registry
  }

  const sent = (remote: Remote, registry: FakeRegistry) => {
    const found = [...registry.images].find(([name, { digest }]) =>
      remote.digest ? digest === remote.digest : name === `${remote.path}:${remote.tag}`,
    )
    if (!found) throw beyond(404, 'manifest unknown')
    return found[1]
  }

  const addImage = (
    ref: string,
    { has = ['/usr/sbin/sshd'], inside = {}, ...given }: Partial<FakeImage> = {},
  ): SeenImage => {
    const image = makeImage({ ...given, has, inside })
    images.set(image.engineId, image)
    tags.set(ref, image.engineId)
    return seenImage(image)
  }

  const engine: Engine = {
    ping: async () => undefined,
    info: async () => structuredClone(info),

    async create(wish) {
      if (!wish.engineName.startsWith(`dcm-${instance}-`))
        throw new HostError('refused', 'The container name is not of this instance.')
      const image = mustImage(wish.imageId)
      if (!networks.has(wish.network)) throw new HostError('refused', 'The network is not there.')
      if (
        !runs.has(wish.id) ||
        wish.mounts.run !== `/fake/run/${wish.id}` ||
        !storages.has(wish.mounts.storage.replace(/^\/fake\/storage\/|\/data$/g, ''))
      )
        throw new HostError('refused', 'A folder that the container needs is missing on the host.')
      if (wish.mounts.volumes?.some(({ source }) => !volumes.has(source) || !source.includes(`/${wish.ownerId}/`)))
        throw new HostError('refused', "The container's volume is not its owner's.")
      if (strangers.has(wish.engineName))
        throw new HostError('taken', `The name ${wish.engineName} is another's.`, { status: 409 })
      const found = [...containers.values()].find((container) => container.engineName === wish.engineName)
      if (found) {
        if (found.id !== wish.id)
          throw new HostError('taken', `The name ${wish.engineName} is another's.`, { status: 409 })
        if (JSON.stringify(found.wish) === JSON.stringify(wish)) return { engineId: found.engineId }
        if (found.state !== 'created')
          throw new HostError('taken', `The name ${wish.engineName} is an earlier container's.`, { status: 409 })
        containers.delete(found.engineId)
        emit(found, 'destroy')
      }
      const container: FakeContainer = {
        engineId: hex(),
        engineName: wish.engineName,
        id: wish.id,
        state: 'created',
        exitCode: 0,
        oomKilled: false,
        startedAt: null,
        finishedAt: null,
        restarts: 0,
        imageId: image.engineId,
        wish: structuredClone(wish),
        log: [],
        written: 0,
        joined: new Map([[wish.network, [wish.name, ...(wish.aliases ?? [])]]]),
        load: { cpus: 10, memory: 8 * 2 ** 20, pids: 3, received: 0, sent: 0 },
        changes: [],
      }
      containers.set(container.engineId, container)
      emit(container, 'create')
      return { engineId: container.engineId }
    },

    find: async (engineName) => {
      const found = [...containers.values()].find((container) => container.engineName === engineName)
      return found && seen(found, true)
    },
    inspect: async (engineId) => seen(must(engineId), true),
    list: async () => [...containers.values()].map((container) => seen(container, false)),

    async start(engineId) {
      const container = must(engineId)
      if (container.state === 'running' || container.state === 'restarting') return
      if (container.state === 'paused')
        throw new HostError('taken', 'A paused container cannot be started.', { status: 409 })
      if (container.wish.ports.some((port) => portTaken(port.host, engineId)))
        throw new HostError('taken', 'A port is already allocated.', { status: 500 })
      container.state = 'running'
      container.startedAt = new Date(now())
      emit(container, 'start')
    },

    async stop(engineId) {
      const container = must(engineId)
      if (!listening.has(container.state)) return
      emit(container, 'kill')
      end(container, 0)
      emit(container, 'stop')
    },

    async pause(engineId) {
      const container = must(engineId)
      if (container.state === 'paused') return
      if (container.state !== 'running') throw new HostError('taken', 'The container is not running.', { status: 409 })
      container.state = 'paused'
      emit(container, 'pause')
    },

    async unpause(engineId) {
      const container = must(engineId)
      if (container.state !== 'paused') return
      container.state = 'running'
      emit(container, 'unpause')
    },

    async remove(engineId) {
      const container = containers.get(containerId(engineId))
      if (!container) return
      if (listening.has(container.state)) end(container, 137)
      containers.delete(engineId)
      emit(container, 'destroy')
    },

    async alias(engineId, network, aliases) {
      const container = must(engineId)
      if (!networks.has(network)) throw new HostError('refused', 'The network is not there.')
      container.joined.set(network, [...aliases])
    },

    leave: async (engineId, network) => void must(engineId).joined.delete(network),

    async *logs(engineId, { tail }) {
      const { log } = must(engineId)
      if (tail === undefined) return yield* log.map((chunk) => ({ ...chunk }))
      const lines = log.flatMap(({ stream, data }) =>
        (data.toString().match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) => ({ stream, data: Buffer.from(line) })),
      )
      yield* tail > 0 ? lines.slice(-tail) : []
    },

    async *export(engineId) {
      const { engineName } = must(engineId)
      // No real tar: enough to see that every byte of it arrives.
      yield Buffer.from(`tar of ${engineName},`)
      yield Buffer.from('end')
    },

    async exec(engineId, wish) {
      const container = must(engineId)
      if (wish.argv.length === 0) throw new HostError('refused', 'What runs inside has to name a program.')
      if (container.state !== 'running')
        throw new HostError('taken', `The container is ${container.state}.`, { status: 409 })
      const input = new PassThrough()
      if (wish.input === false) input.end()
      let code: number | null = null
      const output = async function* () {
        const running = program(wish, input)
        for (let next = await running.next(); ; next = await running.next()) {
          if (next.done) return void (code = next.value)
          yield next.value
        }
      }
      return {
        input,
        output: output(),
        resize: async () => undefined,
        exit: async () => code,
        close: () => void input.destroy(),
      }
    },

    async processes(engineId) {
      const container = must(engineId)
      if (container.state !== 'running' && container.state !== 'paused')
        throw new HostError('taken', 'The container is not running.', { status: 409 })
      return (
        container.processes ?? [
          {
            uid: '0',
            cpu: 0.5,
            memory: 2 ** 20,
            elapsed: '00:01',
            command: container.wish.command.join(' ') || 'sshd',
          },
        ]
      )
    },
    async load(engineId) {
      const container = must(engineId)
      return listening.has(container.state) ? { ...container.load } : undefined
    },
    async changes(engineId, most) {
      const all = must(engineId).changes
      return { changes: all.slice(0, most).map((change) => ({ ...change })), total: all.length }
    },
    async kill(engineId, signal) {
      const container = must(engineId)
      if (!listening.has(container.state))
        throw new HostError('taken', 'The container is not running.', { status: 409 })
      emit(container, 'kill')
      if (signal === 'KILL') end(container, 137)
      // What runs first inside hands TERM on and ends; it bears with the rest.
      else if (signal === 'TERM' && container.state === 'running') end(container, 143)
    },
    async update(engineId, limits) {
      const container = must(engineId)
      // Docker itself refuses less than 6 MB.
      if (limits.memory < 6 * 2 ** 20)
        throw new HostError('refused', 'Minimum memory limit allowed is 6MB.', { status: 400 })
      container.wish.limits = { ...limits }
    },

    layerSizes: async () =>
      new Map([...containers.values()].map((container) => [container.engineId, container.written])),

    async commit(engineId, { ref, blankEnv }: CommitOptions) {
      const container = must(engineId)
      const tag = ownTag(ref)
      const base = images.get(container.imageId)
      const env = [...(base?.env ?? []), ...container.wish.env].map((entry) => {
        const name = entry.slice(0, entry.indexOf('='))
        return blankEnv.includes(name) ? `${name}=` : entry
      })
      const before = tags.get(tag)
      const layers = (base?.layers ?? 0) + 1
      const size = (base?.size ?? 0) + container.written
      const image = addImage(tag, {
        size,
        layers: layers > 110 ? 1 : layers,
        env,
        command: ['/bin/sh'],
        has: base?.has ?? [],
        inside: layers > 110 ? {} : { chain: [...(base ? await chainOf(base.engineId) : []), `sha256:${hex()}`] },
      })
      if (before !== undefined) drop(before)
      return image
    },

    image: async (ref) => {
      const image = images.get(tags.get(ref) ?? tags.get(`${ref}:latest`) ?? ref)
      return image && seenImage(image)
    },
    async inside(engineId) {
      const image = mustImage(engineId)
      return structuredClone({
        ...{ os: 'linux', arch: 'amd64', user: '', folder: '', exposes: [], triggers: 0, createdAt: new Date(0) },
        env: image.env.map((entry) => entry.split('=', 1)[0]!),
        ...{ entrypoint: image.entrypoint, command: image.command, labels: image.labels },
        chain: Array.from({ length: image.layers }, (_, at) => `${engineId}-${at}`),
        ...image.inside,
      })
    },
    async login(registry, credential) {
      admitted(registry, credential)
      return credential
    },
    async resolve(remote, credential) {
      return { digest: sent(remote, admitted(remote.registry, credential)).digest, platforms: ['linux/amd64'] }
    },
    async pull(remote, credential, progress, signal) {
      const { image } = sent(remote, admitted(remote.registry, credential))
      for (const done of [image.size / 2, image.size]) {
        progress({ done, all: image.size })
        if (signal?.aborted) throw new HostError('down', 'Reading a registry was given up.')
      }
      if (!images.has(image.engineId)) images.set(image.engineId, { ...image })
      tags.set(formatRemote(remote), image.engineId)
      if (Object.entries(image.labels).some(([name, value]) => name.startsWith('dcm.') && value !== ''))
        throw beyond(500, "the image carries DCM's own labels, which only DCM may set")
      return seenImage(image)
    },
    async push(engineId, remote, credential, progress) {
      const name = formatRemote({ ...remote, digest: null })
      const image = mustImage(engineId)
      if ((tags.get(name) ?? engineId) !== engineId)
        throw new HostError('taken', `The engine has another image called ${name}.`)
      tags.set(name, engineId)
      progress({ done: image.size, all: image.size })
      const digest = `sha256:${createHash('sha256').update(engineId).digest('hex')}`
      admitted(remote.registry, credential).images.set(`${remote.path}:${remote.tag}`, { digest, image: { ...image } })
    },
    async release(remote, engineId) {
      const name = formatRemote(remote)
      if (tags.get(name) !== engineId) return
      tags.delete(name)
      drop(engineId)
    },
    imageTags: async () =>
      [...tags].filter(([ref]) => ref.startsWith(`dcm/${instance}/`)).map(([ref, engineId]) => ({ ref, engineId })),
    tag: async (engineId, ref) => {
      mustImage(engineId)
      tags.set(ownTag(ref), engineId)
    },

    async untag(ref) {
      const tag = ownTag(ref)
      const imageId = tags.get(tag)
      if (imageId === undefined) return
      const last = [...tags.values()].filter((other) => other === imageId).length === 1
      if (last && [...containers.values()].some((container) => container.imageId === imageId))
        throw new HostError('taken', 'A container is using the image.', { status: 409 })
      tags.delete(tag)
      drop(imageId)
    },

    async build(folder, ref, say, { fresh = false } = {}) {
      const tag = ownTag(ref)
      say(`Building ${tag}`)
      // The same folder gives the same image, as the engine's cache does.
      const engineId = fresh ? `sha256:${hex()}` : `sha256:${createHash('sha256').update(folder).digest('hex')}`
      return addImage(tag, { engineId })
    },

    async forward(wish) {
      if (!wish.engineName.startsWith(`dcm-${instance}-port-`))
        throw new HostError('refused', 'The forwarder is not of this instance.')
      if (!networks.has(wish.network)) throw new HostError('refused', 'The network is not there.')
      const { running, ...found } = forwards.get(wish.engineName) ?? { running: false }
      if (running && JSON.stringify(found) === JSON.stringify(wish)) return
      if (portTaken(wish.host, wish.engineName)) {
        forwards.delete(wish.engineName)
        throw new HostError('taken', 'A port is already allocated.', { status: 500 })
      }
      forwards.set(wish.engineName, { ...wish, running: true })
    },
    forwards: async () =>
      [...forwards.values()].map(({ engineName, target, running }) => ({ engineName, target, running })),
    unforward: async (engineName) => void forwards.delete(engineName),

    imageHas: async (engineId, paths) => paths.some((path) => mustImage(engineId).has.includes(path)),

    async createNetwork({ name, bridge, subnet, ownerId }) {
      const found = networks.get(name)
      if (found && found.ownerId !== ownerId) throw new HostError('taken', `The network ${name} is another's.`)
      if (found?.bridge === bridge && found.subnet === subnet) return
      if (found) await engine.removeNetwork(name)
      if ([...networks.values()].some((other) => other.subnet === subnet || other.bridge === bridge))
        throw new HostError('taken', 'Pool overlaps with other one on this address space.', { status: 403 })
      networks.set(name, { bridge, subnet, ownerId })
    },

    async removeNetwork(name) {
      if (
        [...containers.values(), ...forwards.values()].some((one) => ('wish' in one ? one.wish : one).network === name)
      )
        throw new HostError('taken', `Containers are on the network ${name}.`)
      networks.delete(name)
    },

    networks: async () => [
      { name: 'bridge', subnets: ['172.17.0.0/16'], own: false },
      ...[...networks].map(([name, { subnet }]) => ({ name, subnets: [subnet], own: true })),
    ],

    gap: async (since) => ({
      restarted: restartedAt > since,
      exits: new Map(
        [...exits].filter(([, exit]) => exit.at >= since).map(([engineId, exit]) => [engineId, exit.code]),
      ),
    }),
    async *events(signal, ready) {
      const queue: HostEvent[] = []
      let [over, wake] = [false, () => {}]
      const listener = { push: (event: HostEvent) => (queue.push(event), wake()), end: () => ((over = true), wake()) }
      if (signal.aborted) return
      signal.addEventListener('abort', listener.end, { once: true })
      listeners.add(listener)
      try {
        ready()
        for (;;) {
          const event = queue.shift()
          if (event) yield event
          else if (over) return
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        listeners.delete(listener)
        signal.removeEventListener('abort', listener.end)
      }
    },
  }

  const files: Files = {
    async placeRun(folder) {
      runs.set(folder.id, { ...folder })
      return `/fake/run/${folder.id}`
    },
    async writeKeys(id, authorizedKeys) {
      const folder = runs.get(id)
      if (!folder) throw new HostError('gone', 'The container has no run folder.')
      folder.authorizedKeys = authorizedKeys
    },
    async writeSecrets(id, secrets) {
      const folder = runs.get(id)
      if (!folder) throw new HostError('gone', 'The container has no run folder.')
      folder.secrets = { ...secrets }
    },
    removeRun: async (id) => void runs.delete(id),
    async ensureStorage(ownerId, limit) {
      const storage = storages.get(ownerId) ?? { limit, used: 0 }
      storage.limit = Math.max(storage.limit, limit)
      storages.set(ownerId, storage)
      return { path: `/fake/storage/${ownerId}/data`, hard: true, ...storage }
    },
    storage: async (ownerId) => {
      const storage = storages.get(ownerId)
      return storage && { path: `/fake/storage/${ownerId}/data`, hard: true, ...storage }
    },
    async ensureVolume(ownerId, id) {
      if (!storages.has(ownerId))
        throw new HostError('refused', 'A folder that the container needs is missing on the host.')
      const path = `/fake/storage/${ownerId}/volumes/${id}`
      volumes.add(path)
      return path
    },
    removeVolume: async (ownerId, id) => void volumes.delete(`/fake/storage/${ownerId}/volumes/${id}`),
    async removeStorage(ownerId) {
      storages.delete(ownerId)
      for (const path of volumes) if (path.startsWith(`/fake/storage/${ownerId}/`)) volumes.delete(path)
    },
    list: async () => ({ runs: [...runs.keys()], storages: [...storages.keys()] }),
    free: async () => ({ ...free }),
    proveQuota: async () => ({
      hard: true,
      why: 'Each storage is a file system of its own; a write past its end was refused.',
    }),
  }

  const net: Net = {
    ensureFirewall: async () => [...firewall],
    checkFirewall: async () => [...firewall],
    portFree: async (port) => !portTaken(port),
    async dial(port) {
      if (!portTaken(port)) throw new HostError('down', `Port ${port} cannot be reached (ECONNREFUSED).`)
      const pipe = new PassThrough()
      return Duplex.from({ readable: pipe, writable: pipe })
    },
    routes: async () => ['192.0.2.0/24'],
    ephemeralPorts: async () => ({ low: 32768, high: 60999 }),
    async greet(port, fingerprint, _deadline, signal) {
      if (signal?.aborted) return { ok: false, why: 'The wait was given up.' }
      if (greeting !== null) return { ok: false, why: greeting }
      const ways = [...forwards.values()].filter((way) => way.running && way.host === port && way.container === 22)
      const container = [...containers.values()].find(
        (other) =>
          other.state === 'running' &&
          other.wish.ssh &&
          (ways.some((way) => way.target === other.engineName) ||
            other.wish.ports.some((mine) => mine.host === port && mine.container === 22)),
      )
      if (!container)
        return { ok: false, why: `No SSH server came up on port ${port}: it cannot be reached (ECONNREFUSED).` }
      const own = hostKeyFingerprint(runs.get(container.wish.id)?.hostKey ?? '')
      if (own !== undefined && own !== fingerprint)
        return { ok: false, why: `On port ${port} something answers with another host key.` }
      return { ok: true }
    },
  }

  const take = (method: FakeMethod, after: boolean): void => {
    const failure = failures.find((one) => one.method === method && (one.after ?? false) === after)
    if (!failure) return
    if (--failure.left <= 0) failures.splice(failures.indexOf(failure), 1)
    throw new HostError(failure.fault, failure.message ?? `The test made ${method} fail.`, { status: failure.status })
  }

  const before = async (method: FakeMethod, args: unknown[]): Promise<void> => {
    calls.push({ method, args })
    // As on a wire: nothing has happened yet when the caller goes on.
    await holds.get(method)
    if (absent && method.startsWith('engine.')) throw new HostError('down', 'The engine cannot be reached.')
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
      absent = on
      if (on) for (const listener of listeners) listener.end()
    },
    restart() {
      exits.clear()
      restartedAt = new Date(now())
      for (const container of containers.values())
        if (listening.has(container.state))
          Object.assign(container, { state: 'exited', exitCode: 255, finishedAt: restartedAt })
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
    programs: (run) => void (program = run),
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
    setInfo: (more) => void (info = { ...info, ...more }),
    setFree: (more) => void (free = { ...free, ...more }),
    setFirewall: (missing) => void (firewall = missing),
    setGreeting: (why) => void (greeting = why),
  }

  return {
    id: options.id ?? 'local',
    engine: guard('engine', engine),
    files: guard('files', files),
    net: guard('net', net),
    fake,
  }
}
