import { signals, type Limits, type Signal } from '../../model/container.ts'
import type { Change, Load, Process } from '../../model/look.ts'
import { HostError } from '../fault.ts'
import { malformed } from './fault.ts'
import { containerId } from './names.ts'
import { array, type Json, maybeObject, object, string, strings } from './read.ts'
import { deadlines, type Wire } from './wire.ts'
import { pieces } from './stream.ts'

/** Columns asked of the host's ps(1). The words are constants: what a caller says never reaches it. */
const columns = '-eo pid,uid,pcpu,rss,etime,args'
const kinds = ['changed', 'added', 'deleted'] as const

const count = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/** One row of ps: the last column holds blanks of its own, which the engine keeps together. */
function readProcess(row: unknown): Process {
  const [, uid = '?', cpu = '0', rss = '0', elapsed = '', ...args] = strings(row)
  return {
    uid,
    cpu: Number(cpu) || 0,
    memory: (Number(rss) || 0) * 1024,
    elapsed,
    command: args.join(' ').slice(0, 1000),
  }
}

/** Memory as `docker stats` shows it: without the file cache that can be dropped. Docker docs, Engine API, ContainerStats. */
function memoryOf(stats: Json): number {
  const memory = maybeObject(stats.memory_stats)
  const detail = maybeObject(memory.stats)
  const cache = count(detail.total_inactive_file ?? detail.inactive_file)
  return Math.max(0, count(memory.usage) - cache)
}

/** Thousandths of a CPU between the two samples that the engine takes. Docker docs, Engine API, ContainerStats. */
function cpusOf(stats: Json): number {
  const [now, before] = [maybeObject(stats.cpu_stats), maybeObject(stats.precpu_stats)]
  const used = count(maybeObject(now.cpu_usage).total_usage) - count(maybeObject(before.cpu_usage).total_usage)
  const passed = count(now.system_cpu_usage) - count(before.system_cpu_usage)
  const online = count(now.online_cpus) || 1
  return passed > 0 && used > 0 ? Math.round((used / passed) * online * 1000) : 0
}

/** What a container does and takes, and the changes that need no new container. */
export function createLook(wire: Wire) {
  return {
    async processes(engineId: string): Promise<Process[]> {
      const { body } = await wire.call('GET', ['containers', containerId(engineId), 'top'], {
        query: { ps_args: columns },
        deadline: deadlines.short,
      })
      return array(object(body, 'top').Processes, 'top').map(readProcess)
    },

    async load(engineId: string): Promise<Load | undefined> {
      const { body } = await wire.call('GET', ['containers', containerId(engineId), 'stats'], {
        query: { stream: 0 },
        deadline: deadlines.short,
        pool: 'long',
      })
      const stats = object(body, 'stats')
      // Of one that does not run the engine gives the same form, empty.
      const pids = count(maybeObject(stats.pids_stats).current)
      if (pids === 0) return undefined
      const networks = Object.values(maybeObject(stats.networks)).map(maybeObject)
      const sum = (name: string) => networks.reduce((total, network) => total + count(network[name]), 0)
      return { cpus: cpusOf(stats), memory: memoryOf(stats), pids, received: sum('rx_bytes'), sent: sum('tx_bytes') }
    },

    async changes(engineId: string, most: number): Promise<{ changes: Change[]; total: number }> {
      const { body } = await wire.call('GET', ['containers', containerId(engineId), 'changes'], {
        deadline: deadlines.sizes,
        pool: 'long',
      })
      // Nothing changed is null in Go.
      const all = body === undefined || body === null ? [] : array(body, 'changes')
      const changes = all.slice(0, most).map((value) => {
        const item = object(value, 'changes')
        const kind = kinds[item.Kind as number]
        if (!kind) throw malformed('changes')
        return { kind, path: string(item.Path, 'changes') }
      })
      return { changes, total: all.length }
    },

    async *export(engineId: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
      const path = ['containers', containerId(engineId), 'export'] as const
      const response = await wire.open('GET', path, { deadline: deadlines.start, pool: 'long', signal })
      yield* pieces(response, deadlines.idle, 'export', signal)
    },

    async kill(engineId: string, signal: Signal): Promise<void> {
      if (!signals.includes(signal)) throw new HostError('refused', 'That signal is not one that DCM sends.')
      await wire.call('POST', ['containers', containerId(engineId), 'kill'], {
        query: { signal: `SIG${signal}` },
        deadline: deadlines.start,
        pool: 'long',
      })
    },

    async update(engineId: string, { memory, cpus, pids }: Limits): Promise<void> {
      if (![memory, cpus, pids].every((value) => Number.isSafeInteger(value) && value > 0))
        throw new HostError('refused', 'A limit has to be a whole number above zero.')
      // MemorySwap goes along, or a larger limit would let it swap (Docker docs, "Resource constraints").
      await wire.call('POST', ['containers', containerId(engineId), 'update'], {
        body: { Memory: memory, MemorySwap: memory, NanoCpus: cpus * 1_000_000, PidsLimit: pids },
        deadline: deadlines.start,
        pool: 'long',
      })
    },
  }
}
