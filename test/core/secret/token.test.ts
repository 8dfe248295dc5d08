import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { hashToken, isToken, makeToken } from '../../../src/core/secret/token.ts'

test('H03: a token is dcm_ and 32 characters, each made of fresh randomness', () => {
  const made = Array.from({ length: 500 }, () => makeToken(randomBytes))
  expect(new Set(made).size).toBe(500)
  for (const token of made) expect(isToken(token)).toBe(true)
  // 16,000 draws of 62 characters: each is there unless some cannot be drawn.
  expect(new Set(made.join('').replaceAll('dcm_', '')).size).toBe(62)
})

test('no character is likelier than another', () => {
  const counts = new Map<string, number>()
  for (let byte = 0; byte < 248; byte++) {
    const char = makeToken((count) => new Uint8Array(count).fill(byte))[4]!
    counts.set(char, (counts.get(char) ?? 0) + 1)
  }
  expect(counts.size).toBe(62)
  expect(new Set(counts.values())).toEqual(new Set([4]))
  for (let byte = 248; byte < 256; byte++)
    expect(() => makeToken((count) => new Uint8Array(count).fill(byte))).toThrow(/randomness/)
})

test('a source that gives no randomness ends in an error, not in a loop', () => {
  expect(() => makeToken((count) => new Uint8Array(count).fill(255))).toThrow(/randomness/)
})

test('H04: what is truncated, longer or of another form is no token', () => {
  const token = makeToken(randomBytes)
  for (const other of [
    '',
    token.slice(0, -1),
    `${token}a`,
    token.toUpperCase(),
    ` ${token}`,
    `${token}\n`,
    token.replace('_', '-'),
  ])
    expect(isToken(other)).toBe(false)
})

test('H04: a token in another case is another token', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^dcm_[0-9A-Za-z]{32}$/), (token) => {
      fc.pre(token.toLowerCase() !== token)
      expect(hashToken(token.toLowerCase())).not.toBe(hashToken(token))
      expect(hashToken(token)).toMatch(/^[0-9a-f]{64}$/)
    }),
  )
})
