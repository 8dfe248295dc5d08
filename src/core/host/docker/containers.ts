import type { ContainerWish, LogChunk, LogOptions, Seen, SeenImage } from '../engine.ts'
import { HostError, isFault } from '../fault.ts'
import { createBody, labels } from './create.ts'
import { malformed } from './fault.ts'
import { logFrames } from './frames.ts'
import { readImage } from './images.ts'
import { containerId, containerRef, fullId, hostName, networkName } from './names.ts'
import { array, type Json, maybeObject, number, object, string, stringMap, strings } from './read.ts'
import { deadlines, type Wire } from './wire.ts'
import { pieces } from './stream.ts'

const states = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const

const readState = (value: unknown, what: string): Seen['state'] => {
  const state = states.find((known) => known === value)
  if (!state) throw malformed(what)
  return state
}

/** Go's zero time means "never". */
const readTime = (value: unknown): Date | null => {
  const at = typeof value === 'string' ? new Date(value) : undefined
  return at && !Number.isNaN(at.getTime()) && at.getUTCFullYear() > 1 ? at : null
}

const readId = (value: unknown, what: string): string => {
  const id = string(value, what)
  if (!fullId.test(id)) throw malformed(what)
  return id
}

/** One element of `GET /containers/json`. */
function readListed(value: unknown): Seen {
  const what = 'the list of containers'
  const item = object(value, what)
  return {
    engineId: readId(item.Id, what),
    engineName: (strings(item.Names)[0] ?? '').replace(/^\//, ''),
    id: stringMap(item.Labels)[labels.id] || undefined,
    state: readState(item.State, what),
    imageId: string(item.ImageID, what),
  }
}

const readAliases = (end: unknown, engineId: string): string[] =>
  // The engine adds the short id to the aliases by itself.
  strings(maybeObject(end).Aliases).filter((alias) => alias !== engineId.slice(0, 12))

function readInspected(body: unknown): { seen: Seen; labels: Record<string, string>; networks: Json } {
  const what = 'inspect'
  const item = object(body, what)
  const state = object(item.State, what)
  const own = stringMap(maybeObject(item.Config).Labels)
  const networks = maybeObject(maybeObject(item.NetworkSettings).Networks)
  const engineId = readId(item.Id, what)
  const aliases = Object.values(networks).flatMap((end) => readAliases(end, engineId))
  return {
    seen: {
      engineId,
      engineName: string(item.Name, what).replace(/^\//, ''),
      id: own[labels.id] || undefined,
      state: readState(state.Status, what),
      exitCode: number(state.ExitCode, what),
      oomKilled: state.OOMKilled === true,
      startedAt: readTime(state.StartedAt),
      finishedAt: readTime(state.FinishedAt),
      restarts: typeof item.RestartCount === 'number' ? item.RestartCount : 0,
      imageId: string(item.Image, what),
      aliases: [...new Set(aliases)],
      networks: Object.keys(networks),
    },
    labels: own,
    networks,
  }
}

/** The life of a container on one engine. */
export function createContainers(wire: Wire, place: { instance: string; bindHost: string }) {
  const mine = JSON.stringify({ label: [`${labels.instance}=${place.instance}`] })

  const look = async (ref: string) => {
    const { body } = await wire.call('GET', ['containers', containerRef(ref), 'json'], { deadline: deadlines.short })
    const found = readInspected(body)
    if (fullId.test(ref) && found.seen.engineId !== ref) throw malformed('inspect')
    return found
  }

  const lookFor = async (name: string) => {
    try {
      const found = await look(name)
      // A name may resolve to an id that begins like it; only the object of this very name counts.
      return found.seen.engineName === name ? found : undefined
    } catch (error) {
      if (isFault(error, 'gone')) return undefined
      throw error
    }
  }

  const remove = async (engineId: string): Promise<void> => {
    const path = ['containers', containerId(engineId)] as const
    for (let tries = 0; ; tries++) {
      try {
        await wire.call('DELETE', path, { query: { force: 1, v: 1 }, deadline: deadlines.start, pool: 'long' })
        return
      } catch (error) {
        if (isFault(error, 'gone')) return
        // 409: another removal is under way; it is over when the container is.
        const busy = error instanceof HostError && error.status === 409 && tries < 60
        if (!busy) throw error
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    }
  }

  const act = async (engineId: string, verb: string, done: RegExp): Promise<void> => {
    try {
      await wire.call('POST', ['containers', containerId(engineId), verb], { deadline: deadlines.start, pool: 'long' })
    } catch (error) {
      if (error instanceof HostError && done.test(error.message)) return
      throw error
    }
  }

  // What an id names never changes, so it is read once; only so many are kept.
  const images = new Map<string, SeenImage>()
  async function imageOf(id: string): Promise<SeenImage> {
    const known = images.get(id)
    if (known) return known
    const { body } = await wire.call('GET', ['images', id, 'json'], { deadline: deadlines.short })
    if (images.size >= 100) images.clear()
    const image = readImage(body)
    images.set(id, image)
    return image
  }

  return {
    async create(wish: ContainerWish): Promise<{ engineId: string }> {
      if (!wish.engineName.startsWith(`dcm-${place.instance}-`))
        throw new HostError('refused', 'The container name is not of this instance.')
      const body = createBody(wish, { ...place, image: await imageOf(wish.imageId) })
      for (let tries = 0; ; tries++) {
        try {
          const answer = await wire.call('POST', ['containers', 'create'], {
            query: { name: wish.engineName },
            body,
            deadline: deadlines.start,
            pool: 'long',
          })
          return { engineId: readId(object(answer.body, 'create').Id, 'create') }
        } catch (error) {
          if (!(error instanceof HostError) || error.status !== 409 || tries >= 2) throw error
          const found = await lookFor(wish.engineName)
          if (!found) continue
          const ours = found.labels[labels.instance] === place.instance && found.labels[labels.id] === wish.id
          // The engine's message would name the other's id.
          if (!ours) throw new HostError('taken', `The name ${wish.engineName} is another's.`, { status: 409 })
          if (found.labels[labels.wish] === body.Labels[labels.wish]) return { engineId: found.seen.engineId }
          // An earlier try of the same intent, with other ports for instance; it never ran, so nothing is lost.
          if (found.seen.state !== 'created')
            throw new HostError('taken', `The name ${wish.engineName} is an earlier container's.`, { status: 409 })
          await remove(found.seen.engineId)
        }
      }
    },

    async find(engineName: string): Promise<Seen | undefined> {
      const found = await lookFor(engineName)
      return found?.labels[labels.instance] === place.instance ? found.seen : undefined
    },

    inspect: async (engineId: string): Promise<Seen> => (await look(containerId(engineId))).seen,

    async list(): Promise<Seen[]> {
      const { body } = await wire.call('GET', ['containers', 'json'], {
        query: { all: 1, filters: mine },
        deadline: deadlines.short,
      })
      return array(body, 'the list of containers').map(readListed)
    },

    async start(engineId: string): Promise<void> {
      await wire.call('POST', ['containers', containerId(engineId), 'start'], {
        deadline: deadlines.start,
        pool: 'long',
        allow: [304],
      })
    },

    async stop(engineId: string, seconds: number): Promise<void> {
      const t = Math.max(0, Math.min(3600, Math.round(seconds)))
      await wire.call('POST', ['containers', containerId(engineId), 'stop'], {
        query: { t },
        deadline: deadlines.start + t * 1000,
        pool: 'long',
        allow: [304],
      })
    },

    pause: (engineId: string) => act(engineId, 'pause', /already paused/i),
    unpause: (engineId: string) => act(engineId, 'unpause', /is not paused/i),
    remove,

    async alias(engineId: string, network: string, aliases: readonly string[]): Promise<void> {
      if (aliases.length === 0 || !aliases.every((alias) => hostName.test(alias)))
        throw new HostError('refused', 'The alias cannot be a host name.')
      networkName(network)
      const { networks } = await look(containerId(engineId))
      // The engine puts the host name behind the aliases by itself, so those that were asked for come first.
      const has = readAliases(networks[network], engineId)
      if (aliases.every((alias, at) => has[at] === alias)) return
      const ask = { deadline: deadlines.start, pool: 'long' } as const
      if (networks[network] !== undefined)
        await wire.call('POST', ['networks', network, 'disconnect'], {
          ...ask,
          body: { Container: engineId, Force: true },
        })
      await wire.call('POST', ['networks', network, 'connect'], {
        ...ask,
        body: { Container: engineId, EndpointConfig: { Aliases: aliases } },
      })
    },

    async leave(engineId: string, network: string): Promise<void> {
      networkName(network)
      const { networks } = await look(containerId(engineId))
      if (networks[network] === undefined) return
      await wire.call('POST', ['networks', network, 'disconnect'], {
        ...{ deadline: deadlines.start, pool: 'long', allow: [404] },
        body: { Container: engineId, Force: true },
      })
    },

    async *logs(engineId: string, options: LogOptions, signal?: AbortSignal): AsyncGenerator<LogChunk> {
      const seconds = (at: Date | undefined) => (at ? (at.getTime() / 1000).toFixed(3) : undefined)
      const response = await wire.open('GET', ['containers', containerId(engineId), 'logs'], {
        query: {
          stdout: 1,
          stderr: 1,
          tail: options.tail === undefined ? 'all' : Math.max(0, Math.floor(options.tail)),
          since: seconds(options.since),
          until: seconds(options.until),
          timestamps: options.timestamps ? 1 : undefined,
        },
        deadline: deadlines.short,
        pool: 'long',
        signal,
      })
      yield* logFrames(pieces(response, deadlines.idle, 'logs', signal))
    },

    async layerSizes(): Promise<Map<string, number>> {
      const { body } = await wire.call('GET', ['containers', 'json'], {
        query: { all: 1, size: 1, filters: mine },
        deadline: deadlines.sizes,
        pool: 'long',
      })
      const what = 'the sizes of containers'
      return new Map(
        array(body, what).map((value) => {
          const item = object(value, what)
          return [readId(item.Id, what), typeof item.SizeRw === 'number' ? Math.max(0, item.SizeRw) : 0]
        }),
      )
    },
  }
}
