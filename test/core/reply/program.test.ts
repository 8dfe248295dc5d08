import { expect, test } from 'vitest'
import { type Ended, ended } from '../../../src/core/reply/ended.ts'
import { programOf } from '../../../src/core/reply/program.ts'
import { info } from '../../../src/core/reply/reply.ts'

const whole = 'ssh ada+web@host -- …'
const of = (how: Partial<Ended>, from: { piped?: boolean; given?: boolean } = {}) =>
  programOf(
    ended('ls in web', { name: 'web', code: 0, late: false, output: 'a\n', cut: false, changed: null, whole, ...how }),
    { piped: true, given: false, ...from },
  )

test("a program's end is its output and its own exit code, and words only where it failed", () => {
  expect(of({ code: 0 })).toEqual({ output: 'a\n', code: 0, says: undefined })
  expect(of({ code: 3 })).toEqual({ output: 'a\n', code: 3, says: 'ls in web ended with exit code 3.' })
})

test('what has no exit code gets one that is no success', () => {
  expect(of({ code: null, late: true })).toMatchObject({ code: 124, says: 'ls in web' })
  expect(of({ code: null })).toMatchObject({ code: 5, says: expect.stringContaining('does not know how') })
})

test.each([0, 1])('output that is not whole is no success, whether the program ended with %i or not', (code) => {
  for (const how of [{ cut: true }, { changed: 'bytes' as const }])
    expect(of({ code, ...how })).toMatchObject({
      code: 125,
      says: expect.stringMatching(new RegExp(`exit code ${code}\\. .*; ${whole.replace('+', '\\+')} gives`)),
    })
})

test('text without its colours is told of where it goes to a file, and is no failure', () => {
  expect(of({ changed: 'marks' })).toMatchObject({ code: 0, says: expect.stringContaining(whole) })
  expect(of({ changed: 'marks' }, { piped: false })).toMatchObject({ code: 0, says: undefined })
})

test('an input that was not passed on is no success', () => {
  expect(of({}, { given: true })).toMatchObject({
    code: 125,
    says: expect.stringMatching(/^What was piped in was not passed on; ssh ada/),
  })
})

test.each([undefined, null, [], 'text', { exit_code: 3 }, { name: 'web', ended: true, exit_code: 0, state: 'exited' }])(
  '%j tells of no program',
  (data) => expect(programOf(info('It is so.', { data }), { piped: true, given: true })).toBeUndefined(),
)
