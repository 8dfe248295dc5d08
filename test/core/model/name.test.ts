import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newId } from '../../../src/core/model/id.ts'
import { formatImageRef, parseImageRef, refuseContainerName, refusePersonName } from '../../../src/core/model/name.ts'

test('D05: a member name is refused by one rule, in one sentence', () => {
  for (const name of [
    '../bob',
    '.',
    '',
    'a/b',
    'a\0b',
    'Bob',
    'a'.repeat(300),
    '-x',
    'bob ',
    'root',
    'b\u00f6b',
    'bob\n',
    '\uff42ob',
  ]) {
    expect(refusePersonName(name), JSON.stringify(name)).toMatch(/\.$/)
  }
  expect(refusePersonName('bob')).toBeUndefined()
})

test('C03: no container name looks like an id of Docker', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-f][0-9a-f]{11,39}$/), (hex) => {
      expect(refuseContainerName(hex)).toMatch(/Docker id/)
    }),
  )
})

test('B01: a member image never names a registry, a path, a digest or an id', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 80 }), (text) => {
      const ref = parseImageRef(text)
      if (!ref) return
      expect(ref.name).not.toMatch(/[/@:]/)
      expect(ref.name).not.toMatch(/^[0-9a-f]{4,}$/)
      expect(parseImageRef(formatImageRef(ref))).toEqual(ref)
    }),
  )
})

test('an id is a name in a path, a URL and Docker', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 13, maxLength: 13 }), (bytes) => {
      expect(newId((count) => bytes.slice(0, count))).toMatch(/^[a-z][0-9a-z]{11}$/)
    }),
  )
})
