import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toAnsi } from '../../../src/core/reply/ansi.ts'
import { info, ok, type Reply, refusal, warn } from '../../../src/core/reply/reply.ts'
import { DcmError } from '../../../src/core/reply/error.ts'

const wide = { columns: 80, colour: true }
const plain = { columns: 80, colour: false }

const table = {
  head: ['NAME', 'STATE'],
  rows: [
    ['web', 'running'],
    ['数据库', 'exited'],
  ],
}

test('the sentence has the colour of its tone', () => {
  expect(toAnsi(ok('Done.'), wide)).toBe('\u001b[32mDone.\u001b[39m')
  expect(toAnsi(info('So it is.'), wide)).toBe('So it is.')
  expect(toAnsi(warn('Look.'), wide)).toBe('\u001b[33mLook.\u001b[39m')
  expect(toAnsi(refusal(new DcmError('denied', 'No.')), wide)).toBe('\u001b[31mNo.\u001b[39m')
})

describe('a table', () => {
  test('stands in columns, wide characters counted as they are drawn', () => {
    expect(toAnsi(info('Two.', { table }), plain)).toBe('Two.\nNAME     STATE\nweb      running\n数据库   exited')
  })

  test('that is too wide is told row by row, and nothing is cut', () => {
    expect(toAnsi(info('Two.', { table }), { columns: 12, colour: false })).toBe(
      'Two.\n  NAME    web\n  STATE   running\n\n  NAME    数据库\n  STATE   exited',
    )
  })

  test('without rows is left out', () => {
    expect(toAnsi(info('None.', { table: { head: ['NAME'], rows: [] } }), plain)).toBe('None.')
  })

  test('keeps its lines whatever is in a cell', () => {
    expect(toAnsi(info('x', { table: { head: ['A'], rows: [['one\ntwo']] } }), plain)).toBe('x\nA\none two')
  })
})

test('fields, code and what to do next follow', () => {
  const reply = ok('Made web.', {
    fields: { port: '20000', fingerprint: 'SHA256:x' },
    code: 'ssh -p 20000 root@127.0.0.1',
    actions: [{ label: 'Remove', line: 'rm web', danger: true }],
  })
  expect(toAnsi(reply, plain)).toBe(
    'Made web.\n  port          20000\n  fingerprint   SHA256:x\nssh -p 20000 root@127.0.0.1\n  Remove: rm web',
  )
  expect(stripVTControlCharacters(toAnsi(reply, wide))).toBe(toAnsi(reply, plain))
})

test('I03 whatever the words are, nothing acts on the terminal but our own colours', () => {
  const piece = fc.constantFrom(
    '\u001b[2J',
    '\u001b]0;x\u0007',
    '\u009b',
    '\r',
    '\b',
    '\0',
    '\u202e',
    '\u2028',
    'a',
    '\n',
    '\t',
  )
  const words = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(words, words, words, fc.integer({ min: 1, max: 100 }), (one, two, three, columns) => {
      const reply: Reply = {
        text: one,
        tone: 'ok',
        fields: { [two]: three },
        table: { head: ['A'], rows: [[two]] },
        code: three,
        actions: [{ label: 'x', line: one }],
      }
      const shown = toAnsi(reply, { columns, colour: true })
      // oxlint-disable-next-line no-control-regex
      const ours = shown.replace(/\u001b\[\d{1,2}m/g, '')
      // oxlint-disable-next-line no-control-regex
      expect(ours).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
    }),
  )
})
