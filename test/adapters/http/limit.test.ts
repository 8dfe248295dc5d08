import { describe, expect, test } from 'vitest'
import { createBuckets, network } from '../../../src/adapters/http/limit.ts'

describe('buckets', () => {
  test('empty by one each and fill with time, never past the burst', () => {
    let now = 0
    const { take } = createBuckets({ perSecond: 2, burst: 2 }, () => now)
    expect([take('a'), take('a'), take('a'), take('b')]).toEqual([0, 0, 1, 0])
    now = 0.5
    expect([take('a'), take('a')]).toEqual([0, 1])
    now = 100
    expect([take('a'), take('a'), take('a')]).toEqual([0, 0, 1])
  })

  test('say the whole seconds to wait', () => {
    const { take } = createBuckets({ perSecond: 0.1, burst: 1 }, () => 0)
    expect([take('a'), take('a')]).toEqual([0, 10])
  })

  test('a flood of keys is bounded and leaves the latest in force', () => {
    const { take } = createBuckets({ perSecond: 0.001, burst: 1 }, () => 0)
    for (let at = 0; at < 25_000; at++) take(`flood-${at}`)
    expect(take('flood-24999')).toBeGreaterThan(0)
    expect(take('flood-0')).toBe(0)
  })
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s counts as %s', (address, expected) => {
  expect(network(address)).toBe(expected)
})
