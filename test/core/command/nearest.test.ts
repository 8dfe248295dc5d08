import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest } from '../../../src/core/command/nearest.ts'

const names = ['create', 'commit', 'start', 'stop', 'restart', 'rm', 'ps', 'user add', 'key add']

test.each([
  ['creat', 'create'],
  ['cretae', 'create'],
  ['comit', 'commit'],
  ['stpo', 'stop'],
  ['useradd', 'user add'],
  ['RESTART', 'restart'],
  ['com', 'commit'],
  ['xyzzy', undefined],
  ['', undefined],
])('%s was meant as %s', (typed, meant) => {
  expect(nearest(typed, names)).toBe(meant)
})

test('a name is nearest to itself, and the longest word takes no time', () => {
  fc.assert(fc.property(fc.constantFrom(...names), (name) => void expect(nearest(name, names)).toBe(name)))
  expect(nearest('x'.repeat(1_000_000), names)).toBeUndefined()
})
