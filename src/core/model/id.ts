const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** Bytes from outside, so that tests can drive randomness. */
export type Random = (bytes: number) => Uint8Array

/** A new id: twelve characters of 60 random bits, safe in names, paths and URLs; it always starts with a letter. */
export function newId(random: Random): string {
  const chars = [...random(12)].map((byte) => alphabet[byte & 31]!)
  chars[0] = alphabet[10 + (random(1)[0]! % 22)]!
  return chars.join('')
}
