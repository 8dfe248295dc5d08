import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readObject } from '../../../src/adapters/http/json.ts'
import { DcmError } from '../../../src/core/reply/error.ts'

const value = fc.jsonValue({ maxDepth: 6 }).filter((found) => !JSON.stringify(found).includes('__proto__'))

test('reads whatever JSON writes, with any keys and any white space', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), value), fc.constantFrom(0, 1, '\t'), (object, space) => {
      fc.pre(!Object.keys(object).includes('__proto__'))
      expect(readObject(JSON.stringify(object, null, space))).toEqual(JSON.parse(JSON.stringify(object)))
    }),
  )
})

test('whatever the text is, it is read or refused in words', () => {
  const piece = fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', 'a', '1', ' ', '"a":1', '\\u0061')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      try {
        expect(readObject(pieces.join(''))).toBeTypeOf('object')
      } catch (error) {
        expect(error).toBeInstanceOf(DcmError)
      }
    }),
    { numRuns: 2000 },
  )
})

test('A12 a key that comes twice is refused at any depth, however it is spelled', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 8 }), fc.nat(20), fc.boolean(), (key, depth, escaped) => {
      const plain = JSON.stringify(key)
      const second = escaped
        ? `"${[...Array(key.length).keys()].map((at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
        : plain
      const text = `${'{"a":['.repeat(depth)}{${plain}:1,${second}:2}${']}'.repeat(depth)}`
      expect(() => readObject(text)).toThrow(
        depth * 2 + 1 > 32 ? /deeper/ : key === '__proto__' ? /__proto__/ : /twice/,
      )
    }),
  )
})
