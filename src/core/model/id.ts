import { createHash } from 'node:crypto'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** Bytes from outside, so that tests can drive randomness. */
export type Random = (bytes: number) => Uint8Array

/** A new id: twelve characters of 60 random bits, safe in names, paths and URLs; it always starts with a letter. */
export const newId = (random: Random): string => spell(random(13))

/** The id that is always the same for these words, and of the form of `newId`. */
export const derivedId = (...words: string[]): string =>
  spell(createHash('sha256').update(JSON.stringify(words)).digest())

function spell(bytes: Uint8Array): string {
  const chars = [...bytes.subarray(0, 12)].map((byte) => alphabet[byte & 31]!)
  chars[0] = alphabet[10 + (bytes[12]! % 22)]!
  return chars.join('')
}
