import { createHash } from 'node:crypto'
import type { Random } from '../model/id.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const length = 32

/** What every token's secret looks like, so that scanners for leaked secrets can find it and others are refused unread. */
const form = /^dcm_[0-9A-Za-z]{32}$/

/** A new secret of 190 random bits. Only its hash is ever stored. */
export function makeToken(random: Random): string {
  let secret = ''
  for (let tries = 0; secret.length < length && tries < 16; tries++)
    for (const byte of random(64))
      // 248 is the largest multiple of 62 in a byte: taking more would make some characters likelier.
      if (byte < 248 && secret.length < length) secret += alphabet[byte % 62]!
  if (secret.length < length) throw new Error('the source of randomness gives none')
  return `dcm_${secret}`
}

/** Whether a text could be a token at all. */
export const isToken = (text: string): boolean => form.test(text)

/** What is stored of a secret: SHA-256 in hex. It needs no salt, for nobody can guess 190 bits. */
export const hashToken = (secret: string): string => createHash('sha256').update(secret).digest('hex')
