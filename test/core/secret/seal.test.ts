import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { DcmError } from '../../../src/core/reply/error.ts'
import { createSeal } from '../../../src/core/secret/seal.ts'

const key = randomBytes(32)
const { seal, open } = createSeal(key)

test('what is sealed for a row opens for that row, and never looks the same twice', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      fc.string(),
      (text, row) => {
        const sealed = seal(text, row)
        expect(sealed).toMatch(/^v1\.[\w-]+$/)
        expect(open(sealed, row)).toBe(text)
        expect(seal(text, row)).not.toBe(sealed)
      },
    ),
  )
})

test('a sealed value that is moved to another row does not open', () => {
  const sealed = seal('a private key', 'rowone')
  for (const row of ['rowtwo', '', 'rowone ', '6:rowone']) expect(() => open(sealed, row)).toThrow(DcmError)
})

test('a value that was changed anywhere does not open', () => {
  const sealed = seal('a private key', 'row')
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    expect(() => open(`v1.${changed.toString('base64url')}`, 'row')).toThrow(DcmError)
  }
  for (const broken of ['', 'v1', 'v1.', sealed.slice(0, -4), `v2${sealed.slice(2)}`, `${sealed}.x`, 'v1.AAAA'])
    expect(() => open(broken, 'row')).toThrow(DcmError)
})

test('neither another master key nor another purpose opens it, and the refusal tells nothing of it', () => {
  const sealed = seal('a private key', 'row')
  for (const other of [createSeal(randomBytes(32)), createSeal(key, 'other')]) {
    expect(() => other.open(sealed, 'row')).toThrow(/DCM_SECRET_KEY/)
  }
  try {
    open(sealed, 'else')
    expect.unreachable()
  } catch (error) {
    expect((error as DcmError).code).toBe('unavailable')
    expect((error as DcmError).message).not.toContain(sealed)
  }
})

test('a short master key is refused at once', () => {
  expect(() => createSeal(randomBytes(31))).toThrow(/32 bytes/)
})
