import { expect, test } from 'vitest'
import { ended } from '../../../src/core/reply/ended.ts'
import { programOf } from '../../../src/core/reply/program.ts'
import { info } from '../../../src/core/reply/reply.ts'

const of = (how: { code: number | null; late?: boolean; cut?: boolean }) =>
  programOf(ended('ls in web', { name: 'web', late: false, output: 'a\n', cut: false, ...how }))

test("a program's end is its output and its own exit code, and words only where it failed", () => {
  expect(of({ code: 0 })).toEqual({ output: 'a\n', code: 0, says: undefined })
  expect(of({ code: 3 })).toEqual({ output: 'a\n', code: 3, says: 'ls in web ended with exit code 3.' })
})

test('what has no exit code gets one that is no success', () => {
  expect(of({ code: null, late: true })).toMatchObject({ code: 124, says: 'ls in web' })
  expect(of({ code: null })).toMatchObject({ code: 5, says: expect.stringContaining('does not know how') })
})

test('output that is not whole is told of, also when all went well', () => {
  expect(of({ code: 0, cut: true })).toMatchObject({ code: 0, says: expect.stringContaining('left out') })
})

test.each([undefined, null, [], 'text', { exit_code: 3 }, { name: 'web', ended: true, exit_code: 0, state: 'exited' }])(
  '%j tells of no program',
  (data) => expect(programOf(info('It is so.', { data }))).toBeUndefined(),
)
