import { expect, test } from 'vitest'
import { DcmError } from '../../src/core/reply/error.ts'
import { ok, refusal } from '../../src/core/reply/reply.ts'
import { whyNot } from '../../src/operations/part.ts'

const refused = new DcmError('conflict', 'web is in use.')

test('a part that is done says nothing, one that is refused says why, whether it is answered or thrown', async () => {
  expect(await whyNot(Promise.resolve(ok('web is removed.')))).toBeUndefined()
  expect(await whyNot(Promise.resolve(refusal(refused)))).toBe('web is in use.')
  expect(await whyNot(Promise.reject(refused))).toBe('web is in use.')
})

test('what may work when it is tried again, and what nobody foresaw, is the whole run\u2019s', async () => {
  for (const error of [new DcmError('unavailable', 'DCM is stopping.'), new Error('no row')])
    await expect(whyNot(Promise.reject(error))).rejects.toBe(error)
})
