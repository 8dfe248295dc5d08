import { parseCpus, parseSize } from '../model/units.ts'
import type { Draft } from './draft.ts'
import { by, count, type Reading, scalar } from './reading.ts'
import { serviceKeys } from './subset.ts'
import type { Entry, Node } from './tree.ts'

/** Reads one key of a service into its draft; whatever is wrong goes to `reading`. */
export type Reader = (reading: Reading, draft: Draft, node: Node, key: string) => void

/** A key that may be there with one value only. */
export function oneOf(hint: string, allowed: (draft: Draft) => string): Reader {
  return (reading, draft, node, key) => {
    const text = scalar(reading, node, key)
    if (text !== undefined && text !== allowed(draft)) reading.bad(node.at, key, hint)
  }
}

function number(
  read: (text: string) => number | undefined,
  hint: string,
  put: (draft: Draft, value: number) => void,
): Reader {
  return (reading, draft, node, key) => {
    const text = scalar(reading, node, key)
    if (text === undefined) return
    const value = by(reading, node.at, key, hint, () => read(text))
    if (value === undefined) return
    put(draft, value)
    draft.limitsAt = node.at
  }
}

export const memory = number(
  (text) => parseSize(text.replace(/i?b$/i, '')),
  'a size like 512m',
  (draft, value) => (draft.limits.memory = value),
)
export const cpus = number(parseCpus, 'a number like 0.5', (draft, value) => (draft.limits.cpus = value))
export const pids = number(count, 'a whole number', (draft, value) => (draft.limits.pids = value))

export const only = (name: string) => `Leave it out: ${name}.`

export function readDeploy(reading: Reading, draft: Draft, node: Node, key: string): void {
  const inside = (at: Node, path: string, known: Record<string, (value: Node, path: string, entry: Entry) => void>) => {
    if (at.is === 'null') return
    if (at.is !== 'map') return reading.bad(at.at, path, 'This is a map.')
    for (const entry of at.entries) {
      const read = Object.hasOwn(known, entry.key) ? known[entry.key] : undefined
      if (read) read(entry.value, `${path}.${entry.key}`, entry)
      else if (!entry.key.startsWith('x-'))
        reading.bad(
          entry.at,
          `${path}.${entry.key}`,
          `Of deploy there is resources.limits with cpus, memory and pids, and replicas: 1.`,
        )
    }
  }
  inside(node, key, {
    replicas: (value, path) => oneOf(only('each service is one container'), () => '1')(reading, draft, value, path),
    mode: (value, path) =>
      oneOf(only('each service is one container'), () => 'replicated')(reading, draft, value, path),
    labels: (_, path, { at }) => reading.note(at, path, serviceKeys.labels!.about),
    resources: (value, path) =>
      inside(value, path, {
        reservations: (_, at, entry) => reading.note(entry.at, at, 'What is limited is reserved.'),
        limits: (limits, at) =>
          inside(limits, at, {
            memory: (amount, where) => memory(reading, draft, amount, where),
            cpus: (amount, where) => cpus(reading, draft, amount, where),
            pids: (amount, where) => pids(reading, draft, amount, where),
          }),
      }),
  })
}
