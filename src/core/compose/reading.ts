import { DcmError } from '../reply/error.ts'
import { fill } from './fill.ts'
import type { At, Node, Problem } from './tree.ts'

/** One file as it is read: what is wrong and what has no effect is gathered, so that all of it is said at once. */
export type Reading = {
  values: ReadonlyMap<string, string>
  problems: Problem[]
  notes: Problem[]
  bad(at: At, key: string, why: string): void
  note(at: At, key: string, why: string): void
}

/** Problems that are told at most: who has more of them has not written for here. */
const most = 100

export function createReading(values: ReadonlyMap<string, string>): Reading {
  const problems: Problem[] = []
  const notes: Problem[] = []
  return {
    values,
    problems,
    notes,
    bad: ({ line, column }, key, why) => void (problems.length < most && problems.push({ line, column, key, why })),
    note: ({ line, column }, key, why) => void (notes.length < most && notes.push({ line, column, key, why })),
  }
}

/** One text, number or truth value as text, with its variables filled in. */
export function scalar(reading: Reading, node: Node, key: string): string | undefined {
  if (node.is !== 'text') {
    reading.bad(
      node.at,
      key,
      node.is === 'null' ? 'A value is missing here.' : 'This is one value, no list and no map.',
    )
    return undefined
  }
  const filled = fill(node.text, reading.values)
  if ('text' in filled && !filled.text.includes('\0') && filled.text.isWellFormed()) return filled.text
  reading.bad(node.at, key, 'why' in filled ? filled.why : 'It holds what is no text.')
  return undefined
}

/** A list of such, or one alone. */
export function strings(reading: Reading, node: Node, key: string): { text: string; at: At }[] {
  if (node.is === 'map') {
    reading.bad(node.at, key, 'This is a list.')
    return []
  }
  return (node.is === 'list' ? node.items : node.is === 'null' ? [] : [node]).flatMap((item, index) => {
    const text = scalar(reading, item, `${key}.${index}`)
    return text === undefined ? [] : [{ text, at: item.at }]
  })
}

/** Reads a value by a kind's own rule, with its own words for what is wrong. */
export function by<T>(reading: Reading, at: At, key: string, hint: string, read: () => T | undefined): T | undefined {
  try {
    const value = read()
    if (value !== undefined) return value
    reading.bad(at, key, `Give ${hint}.`)
  } catch (error) {
    if (!(error instanceof DcmError)) throw error
    reading.bad(at, key, error.message)
  }
  return undefined
}

/** A whole number; absent when it is none. */
export const count = (text: string) => (/^\d{1,7}$/.test(text) ? Number(text) : undefined)

/** Kinds that are read here name nothing of the caller's. */
export const none = undefined as never
