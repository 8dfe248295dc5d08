import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { renewed } from '../scripts/docs.ts'

test('the tables of the README are what the code says; npm run docs renews them', () => {
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(text).toContain('<!-- commands -->')
  expect(text).toContain('<!-- configuration -->')
  expect(renewed(text)).toBe(text)
})
