import { expect, test } from 'vitest'
import { latest } from '../../../src/core/host/docker/latest.ts'

/** Calls that end when they are told to. */
function slow() {
  const made: number[] = []
  const ends: (() => void)[] = []
  const call = latest(async (value: number) => {
    made.push(value)
    await new Promise<void>((resolve) => ends.push(resolve))
    if (value < 0) throw new Error(String(value))
  })
  const end = async () => {
    ends.shift()!()
    await new Promise(setImmediate)
  }
  return { made, call, end }
}

test('what is asked meanwhile is made afterwards, and only the last of it', async () => {
  const { made, call, end } = slow()
  const all = [call(1), call(2), call(3)]
  expect(made).toEqual([1])
  await end()
  expect(made).toEqual([1, 3])
  await end()
  await Promise.all(all)
  const more = call(4)
  expect(made).toEqual([1, 3, 4])
  await end()
  await more
})

test('one that fails does not keep the next from being made', async () => {
  const { made, call, end } = slow()
  const bad = expect(call(-1)).rejects.toThrow('-1')
  await end()
  await bad
  const good = [call(-5), call(5)]
  await end()
  await end()
  await Promise.all(good)
  expect(made).toEqual([-1, -5, 5])
})
