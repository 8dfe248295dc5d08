import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitWords } from '../../../src/core/command/words.ts'
import { DcmError } from '../../../src/core/reply/error.ts'

test.each([
  ['', []],
  ["''", ['']],
  ['a  b\tc\nd', ['a', 'b', 'c', 'd']],
  ['"a b"c', ['a bc']],
  ["'a\\b'", ['a\\b']],
  ['"a\\b\\"\\\\"', ['a\\b"\\']],
  ['a\\ b', ['a b']],
  ["'it'\"'\"'s'", ["it's"]],
  ['a#b # c', ['a#b', '#', 'c']],
  ['$HOME `id` $(id) a;b|c>d&', ['$HOME', '`id`', '$(id)', 'a;b|c>d&']],
])('%s', (line, words) => {
  expect(splitWords(line)).toEqual(words)
})

test('words that are quoted come back as they were', () => {
  const single = (word: string) => `'${word.replaceAll("'", `'"'"'`)}'`
  const double = (word: string) => `"${word.replace(/["\\$`]/g, '\\$&')}"`
  const word = fc.string({ unit: 'binary', maxLength: 20 })
  fc.assert(
    fc.property(fc.array(fc.tuple(word, fc.boolean()), { maxLength: 6 }), (words) => {
      const line = words.map(([text, which]) => (which ? single(text) : double(text))).join(' ')
      expect(splitWords(line)).toEqual(words.map(([text]) => text))
    }),
  )
})

test('a POSIX shell splits the same', () => {
  const piece = fc.constantFrom('a', 'b ', ' ', "'", '"', '\\', '"c d"', "'e f'", '\\"', "\\'")
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
      const line = pieces.join('')
      let words: string[]
      try {
        words = splitWords(line)
      } catch (error) {
        expect(error).toBeInstanceOf(DcmError)
        return
      }
      const said = execFileSync('sh', ['-c', `set -- ${line}\nfor word; do printf '%s\\0' "$word"; done`], {
        encoding: 'utf8',
      })
      expect(said.split('\0').slice(0, -1)).toEqual(words)
    }),
    { numRuns: 60 },
  )
})

test('the longest line is split at once', () => {
  expect(splitWords('"a\\""'.repeat(13_000))).toHaveLength(1)
})
