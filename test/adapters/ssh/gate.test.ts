import { expect, test } from 'vitest'
import { createGate, createPatience } from '../../../src/adapters/ssh/gate.ts'

test('F07: of too many that wait, the oldest of the address that has most gives way', () => {
  const gate = createGate({ all: 4, perAddress: 3 })
  const gone: string[] = []
  const enter = (address: string, name: string) => gate.enter(address, () => void gone.push(name))
  for (const name of ['a1', 'a2', 'a3', 'a4']) enter('a', name)
  expect(gone).toEqual(['a1'])
  enter('b', 'b1')
  expect(gone).toEqual(['a1'])
  enter('c', 'c1')
  expect(gone).toEqual(['a1', 'a2'])
  expect(gate.waiting()).toBe(4)
})

test('whoever has logged in or left takes no place, and leaving twice is nothing', () => {
  const gate = createGate({ all: 10, perAddress: 1 })
  const gone: string[] = []
  const first = gate.enter('a', () => void gone.push('first'))
  first.leave()
  first.leave()
  gate.enter('a', () => void gone.push('second'))
  expect(gone).toEqual([])
  expect(gate.waiting()).toBe(1)
})

test('a refusal takes the same time for all who rarely fail, and longer for a flood, which is forgotten', () => {
  let now = 0
  const patience = createPatience(() => now)
  expect(new Set(Array.from({ length: 40 }, () => patience('a')))).toEqual(new Set([100]))
  for (let n = 0; n < 1000; n++) patience('a')
  expect(patience('a')).toBe(2000)
  expect(patience('b')).toBe(100)
  now = 61_000
  expect(patience('a')).toBe(100)
})
