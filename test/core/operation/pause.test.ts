import { expect, test } from 'vitest'
import { pause } from '../../../src/core/operation/pause.ts'

test('a pause is over at once when any of its signals is aborted, before it or in it', async () => {
  const [first, second] = [new AbortController(), new AbortController()]
  const waiting = pause(2 ** 30, first.signal, undefined, second.signal)
  second.abort()
  expect(await waiting).toBeUndefined()
  expect(await pause(2 ** 30, first.signal, second.signal)).toBeUndefined()
  expect(await pause(0, first.signal)).toBeUndefined()
})
