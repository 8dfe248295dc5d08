import { malformed } from './fault.ts'

/** A JSON object as the engine sent it; every field is still to be proved. */
export type Json = Record<string, unknown>

/** @throws HostError `broken` when the value is not a JSON object. */
export function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what)
  return value as Json
}

/** @throws HostError `broken` when the value is not an array; null is not an empty list where a list was asked for. */
export function array(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(what)
  return value
}

/** @throws HostError `broken` when the value is not a string. */
export function string(value: unknown, what: string): string {
  if (typeof value !== 'string') throw malformed(what)
  return value
}

/** @throws HostError `broken` when the value is not a finite number. */
export function number(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw malformed(what)
  return value
}

/** An object whose absence Go writes as null. */
export const maybeObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

/** Strings of an array whose absence Go writes as null; what is not a string is left out. */
export const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

/** A map of strings whose absence Go writes as null, on no prototype: keys come from images. */
export function stringMap(value: unknown): Record<string, string> {
  const map = Object.create(null) as Record<string, string>
  for (const [key, item] of Object.entries(maybeObject(value))) if (typeof item === 'string') map[key] = item
  return map
}
