import { DcmError } from '../reply/error.ts'

/** Runs work for a member: only so much of it at a time, the rest in its turn. */
export type Turns = <T>(personId: string, work: () => Promise<T>) => Promise<T>

/**
 * Keeps one member from taking all of what everybody shares: `atOnce` pieces of a member's work go on at a time,
 * `waiting` more stand in line, and what comes then is refused as `limited`.
 */
export function createTurns(atOnce: number, waiting: number): Turns {
  const lines = new Map<string, { busy: number; next: (() => void)[] }>()
  return async (personId, work) => {
    const line = lines.get(personId) ?? { busy: 0, next: [] }
    if (line.busy < atOnce) line.busy++
    else {
      if (line.next.length >= waiting)
        throw new DcmError(
          'limited',
          `${atOnce + waiting} of your requests of this kind are under way; let some of them end first.`,
        )
      // Whoever ends hands its place on, so that nobody who comes later gets it.
      await new Promise<void>((resolve) => line.next.push(resolve))
    }
    lines.set(personId, line)
    try {
      return await work()
    } finally {
      const next = line.next.shift()
      if (next) next()
      else if (--line.busy === 0) lines.delete(personId)
    }
  }
}
