import fc from 'fast-check'
import { kinds } from '../../../src/core/command/kinds.ts'
import { expect, test } from 'vitest'
import { exactAmount, floorAmount, parseAmount, resources } from '../../../src/core/model/quota.ts'
import { formatTime } from '../../../src/core/model/time.ts'
import {
  exactSize,
  floorSize,
  formatCpus,
  formatDuration,
  formatSize,
  parseCpus,
  parseDuration,
  parseSize,
} from '../../../src/core/model/units.ts'

const bytes = fc.integer({ min: 0, max: 2 ** 50 })

test.each([
  [0, '0'],
  [1023, '1023b'],
  [1024, '1k'],
  [512 * 1024 ** 2, '512m'],
  [1.5 * 1024 ** 3, '1.5g'],
  [2 ** 40, '1t'],
])('%d bytes are written %s', (size, text) => {
  expect(formatSize(size)).toBe(text)
  expect(parseSize(text)).toBe(size)
})

test.each([
  ['1GiB', 2 ** 30],
  ['1gib', 2 ** 30],
  ['1.5GB', 1.5 * 2 ** 30],
  ['512MiB', 2 ** 29],
  ['512b', 512],
  ['512', 512],
])('%s is a size', (text, size) => expect(parseSize(text)).toBe(size))

test.each(['1i', '1ib', '1gi', '1gibb', 'GiB', '1 GiB', '1GiBs'])('%s is none', (text) =>
  expect(parseSize(text)).toBeUndefined(),
)

test('an exact size reads back as it was, a floor never as more', () => {
  fc.assert(
    fc.property(bytes, (size) => {
      expect(parseSize(exactSize(size))).toBe(size)
      const floor = parseSize(floorSize(size))!
      expect(floor).toBeLessThanOrEqual(size)
      expect(floor).toBeGreaterThanOrEqual(size * 0.9 - 1)
    }),
  )
})

test('an exact amount of any resource reads back as it was', () => {
  fc.assert(
    fc.property(fc.constantFrom(...resources), fc.integer({ min: 0, max: 9_999_999 }), (resource, amount) => {
      expect(parseAmount(resource, exactAmount(resource, amount))).toBe(amount)
      expect(parseAmount(resource, floorAmount(resource, amount))).toBeLessThanOrEqual(amount)
    }),
  )
})

test('thousandths of a CPU read back as they were', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9_999_999 }),
      (milli) => void expect(parseCpus(formatCpus(milli))).toBe(milli),
    ),
  )
})

test.each([
  [0, '0s'],
  [999, '1s'],
  [90_000, '1m30s'],
  [86_400_000 * 7, '7d'],
  [86_400_000 + 300_000, '1d'],
  [-5, '0s'],
])('%d ms are written %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

test('a duration is never written as more than it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 7 }), (seconds) => {
      expect(parseDuration(formatDuration(seconds * 1000))).toBeLessThanOrEqual(seconds * 1000)
    }),
  )
})

test('a moment is written without seconds', () => {
  expect(formatTime(new Date('2026-01-31T14:05:59Z'))).toBe('2026-01-31 14:05 UTC')
})

test('what is said of a size to who calls the API is what is read', () => {
  const told = new RegExp((kinds.size.schema as { pattern: string }).pattern)
  for (const text of [
    '0',
    '512m',
    '1.5g',
    '1GiB',
    '1gb',
    '20MB',
    '7b',
    '0x10',
    '1e3',
    '-1',
    '1 g',
    '1.',
    '.5g',
    '1gi',
    '1ibb',
    '',
  ])
    expect(told.test(text), text).toBe(parseSize(text) !== undefined)
})
