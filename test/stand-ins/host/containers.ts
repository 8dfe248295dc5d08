import { PassThrough } from 'node:stream'
import { containerId } from '../../../src/core/host/docker/names.ts'
import type { Engine, Seen } from '../../../src/core/host/engine.ts'
import { HostError } from '../../../src/core/host/fault.ts'
import type { Images } from './images.ts'
import { type FakeContainer, hex, listening, type World } from './state.ts'

/** The containers of a fake engine. */
export function createContainers(world: World, { mustImage }: Images) {
  const { instance, now, state, containers, strangers, networks, runs, storages, volumes, emit, must, end, portTaken } =
    world

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

  return {
    async create(wish) {
      if (!wish.engineName.startsWith(`dcm-${instance}-`))
        throw new HostError('refused', 'The container name is not of this instance.')
      const image = mustImage(wish.imageId)
      if (!networks.has(wish.network)) throw new HostError('refused', 'The network is not there.')
      if (
        !runs.has(wish.id) ||
        wish.mounts.run !== `/fake/run/${wish.id}` ||
        (wish.mounts.storage !== null && !storages.has(wish.mounts.storage.replace(/^\/fake\/storage\/|\/data$/g, '')))
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
      if (wish.argv.length === 0) throw new HostError('refused', 'What runs inside has to name a state.program.')
      if (container.state !== 'running')
        throw new HostError('taken', `The container is ${container.state}.`, { status: 409 })
      const input = new PassThrough()
      if (wish.input === false) input.end()
      let code: number | null = null
      const output = async function* () {
        const running = state.program(wish, input)
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
  } satisfies Partial<Engine>
}
