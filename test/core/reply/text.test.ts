import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DcmError, errorCodes } from '../../../src/core/reply/error.ts'
import { info, ok, refusal, type Reply } from '../../../src/core/reply/reply.ts'
import { columns, plain, printable, toText } from '../../../src/core/reply/text.ts'

// oxlint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

test.each([
  ['colours', '\u001b[31mred\u001b[0m', 'red'],
  ['a window title', '\u001b]0;owned\u0007text', 'text'],
  ['the clipboard', '\u001b]52;c;ZXZpbA==\u001b\\text', 'text'],
  ['clear screen', 'a\u001b[2Jb', 'ab'],
  ['a C1 sequence', 'a\u009b31mb', 'a\\u009b31mb'],
  ['carriage return', 'good\rbad', 'good\\u000dbad'],
  ['line ends of Windows', 'a\r\nb', 'a\nb'],
  ['backspace', 'abc\b\b\b', 'abc\\u0008\\u0008\\u0008'],
  ['right to left', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['a line separator', 'a\u2028b', 'a\\u2028b'],
  ['an unfinished sequence', 'a\u001b', 'a\\u001b'],
])('I03: %s', (_, text, shown) => {
  expect(plain(text)).toBe(shown)
})

test('I03: nothing that moves a cursor or turns text around gets through', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(unsafe)
      expect(plain(text)).not.toMatch(unsafe)
    }),
  )
})

test('I04: a value stays in its line of fields and tables', () => {
  const reply = info('Listed.', {
    fields: { name: 'a\n  role   admin' },
    table: { head: ['NAME', 'X'], rows: [['a\nb', '\tc']] },
  })
  expect(toText(reply).split('\n')).toEqual(['Listed.', '  name   a\\n  role   admin', 'NAME   X', 'a\\nb   \\tc'])
})

test('columns line up, also under wide characters', () => {
  expect(
    columns([
      ['NAME', 'STATE'],
      ['\u6f22', 'up'],
      ['abcdef', 'up'],
    ]),
  ).toBe('NAME     STATE\n\u6f22       up\nabcdef   up')
  expect(columns([])).toBe('')
})

test('a reply is told whole, in one order', () => {
  const reply: Reply = ok('Done.', {
    fields: { a: '1' },
    table: { head: ['H'], rows: [['r']] },
    code: 'x\ny',
    actions: [{ label: 'Undo', line: 'undo it' }],
  })
  expect(toText(reply)).toBe('Done.\n  a   1\nH\nr\nx\ny\n  Undo: undo it')
})

test('an error becomes a reply that never tells its cause', () => {
  for (const code of Object.keys(errorCodes) as (keyof typeof errorCodes)[]) {
    const reply = refusal(new DcmError(code, 'It is so.', { cause: new Error('secret'), try: 'help' }))
    expect(reply).toEqual({
      text: 'It is so.',
      tone: 'error',
      error: code,
      actions: [{ label: 'Try this', line: 'help' }],
    })
  }
})
