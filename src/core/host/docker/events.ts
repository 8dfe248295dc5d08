import type { HostEvent } from '../engine.ts'
import { labels } from './create.ts'
import { fullId } from './names.ts'
import { maybeObject, object, stringMap } from './read.ts'
import { deadlines, type Wire } from './wire.ts'
import { jsonLines } from './stream.ts'

const kinds = ['create', 'start', 'die', 'stop', 'kill', 'pause', 'unpause', 'destroy', 'rename', 'oom'] as const
/** How often the engine is asked whether it is still there; a dead link says nothing by itself. */
const heartbeat = 5_000

/** Reads one event; undefined for one that does not concern DCM (health checks, exec, attach, other types). */
export function readEvent(value: unknown): HostEvent | undefined {
  const item = object(value, 'events')
  const kind = kinds.find((known) => known === item.Action)
  const actor = maybeObject(item.Actor)
  const engineId = actor.ID
  if (!kind || item.Type !== 'container' || typeof engineId !== 'string' || !fullId.test(engineId)) return undefined
  const attributes = stringMap(actor.Attributes)
  const nano =
    typeof item.timeNano === 'number' ? item.timeNano / 1e6 : typeof item.time === 'number' ? item.time * 1000 : 0
  const event: HostEvent = { engineId, id: attributes[labels.id] || undefined, kind, at: new Date(nano) }
  const code = Number(attributes.exitCode)
  if (kind === 'die' && attributes.exitCode !== undefined && Number.isInteger(code)) event.exitCode = code
  return event
}

/**
 * Events of this instance's containers until the link is lost: the stream has ended or broken, or the engine did not
 * answer a ping in time. Ends without an error then, since what to do is the same: list anew and subscribe again.
 * @throws HostError when the subscription itself is refused
 */
export async function* follow(
  wire: Wire,
  instance: string,
  ping: () => Promise<void>,
  signal: AbortSignal,
  ready: () => void,
): AsyncGenerator<HostEvent> {
  const over = new AbortController()
  const stop = () => over.abort()
  if (signal.aborted) return
  signal.addEventListener('abort', stop, { once: true })
  let beat: NodeJS.Timeout | undefined
  const next = () => {
    beat = setTimeout(() => void ping().then(() => (over.signal.aborted ? undefined : next()), stop), heartbeat)
  }
  try {
    const filters = { type: ['container'], event: [...kinds], label: [`${labels.instance}=${instance}`] }
    const ask = { query: { filters: JSON.stringify(filters) }, deadline: deadlines.short, signal: over.signal }
    const response = await wire.open('GET', ['events'], { ...ask, pool: 'events' }).catch((error: unknown) => {
      if (signal.aborted) return undefined
      throw error
    })
    if (!response) return
    ready()
    next()
    try {
      for await (const value of jsonLines(response, 2 ** 31 - 1, 'events', over.signal)) {
        const event = readEvent(value)
        if (event) yield event
      }
    } catch {
      return
    }
  } finally {
    clearTimeout(beat)
    over.abort()
    signal.removeEventListener('abort', stop)
  }
}
