import { expect, test } from 'vitest'
import { createSeats } from '../../../src/core/command/seats.ts'

test('seats are given back once', () => {
  const seat = createSeats(2)
  const first = seat('a')!
  seat('a')
  expect(seat('a')).toBeUndefined()
  expect(seat('b')).toBeDefined()
  first()
  first()
  expect(seat('a')).toBeDefined()
  expect(seat('a')).toBeUndefined()
})
