import type { Engine } from '../engine.ts'
import { labels } from './create.ts'
import { readEvent } from './events.ts'
import { object, string } from './read.ts'
import { deadlines, type Wire } from './wire.ts'
import { jsonLines } from './stream.ts'

/**
 * When the engine was started, as far as it can be told: the default bridge is made anew at each start, unless
 * containers lived on over it, and those were not lost then.
 */
async function startedAt(wire: Wire): Promise<Date | undefined> {
  const { status, body } = await wire.call('GET', ['networks', 'bridge'], { deadline: deadlines.short, allow: [404] })
  if (status === 404) return undefined
  const at = new Date(string(object(body, 'networks').Created, 'networks'))
  return Number.isNaN(at.getTime()) ? undefined : at
}

/** An end that was heard of shortly before the link was lost may not have been acted on yet. */
const overlap = 10_000

/** See `Engine.gap`. The engine remembers its last 256 events for as long as it runs (Docker docs, "docker system events"). */
export async function gap(wire: Wire, instance: string, since: Date): ReturnType<Engine['gap']> {
  const exits = new Map<string, number>()
  const filters = JSON.stringify({ type: ['container'], event: ['die'], label: [`${labels.instance}=${instance}`] })
  const query = {
    filters,
    since: (Math.max(0, since.getTime() - overlap) / 1000).toFixed(3),
    until: (Date.now() / 1000).toFixed(3),
  }
  const [started, response] = await Promise.all([
    startedAt(wire),
    wire.open('GET', ['events'], { deadline: deadlines.short, query }),
  ])
  for await (const value of jsonLines(response, deadlines.idle, 'events')) {
    const event = readEvent(value)
    if (event) exits.set(event.engineId, event.exitCode ?? 255)
  }
  return { restarted: started !== undefined && started > since, exits }
}
