import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, render } from '../../../src/adapters/slack/render.ts'
import { hostile } from '../../contracts/chat.ts'
import { anyLetter, shapes } from '../../contracts/letters.ts'
import { checkBlocks, interpreted } from '../../stand-ins/slack/blocks.ts'

const file = join(import.meta.dirname, 'golden.json')
const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

describe('each shape as Block Kit', () => {
  test('all of them are in the golden file', () => {
    const now = Object.fromEntries(Object.entries(shapes).map(([name, one]) => [name, render(one)]))
    if (process.env['DCM_TEST_GOLDEN'] === 'write') writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`)
    expect(Object.keys(golden)).toEqual(Object.keys(shapes))
  })

  test.each(Object.entries(shapes))('%s', (name, one) => {
    const message = render(one)
    expect(message).toEqual(golden[name])
    expect(checkBlocks(message.blocks, 'message')).toEqual([])
    for (const text of interpreted(message)) expect(text).not.toMatch(/[<>]/)
  })
})

test('whatever a Reply holds, Slack takes it, and nothing of it is markup', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4000 }),
    fc.constant(hostile.repeat(200)),
    fc.constant(''),
  )
  fc.assert(
    fc.property(anyLetter(text), (one) => {
      const message = render(one)
      expect(checkBlocks(message.blocks, 'message')).toEqual([])
      for (const said of interpreted(message)) expect(said).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/)
    }),
    { numRuns: 60 },
  )
})

test('text is cut between characters and the cut is shown', () => {
  expect(cut('😀😀😀', 4)).toBe('😀…')
  expect(cut('abc', 3)).toBe('abc')
})
