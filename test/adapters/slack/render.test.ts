import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, render } from '../../../src/adapters/slack/render.ts'
import type { Letter } from '../../../src/core/chat/outlet.ts'
import type { Reply } from '../../../src/core/reply/reply.ts'
import { hostile } from '../../contracts/chat.ts'
import { checkBlocks, interpreted } from '../../stand-ins/slack/blocks.ts'

const letter = (reply: Reply, more: Partial<Letter> = {}): Partial<Letter> & Pick<Letter, 'reply' | 'buttons'> => ({
  reply,
  buttons: [],
  ...more,
})

/** Every shape that a Reply has, as members see it. */
export const shapes: Record<string, ReturnType<typeof letter>> = {
  'status card': letter(
    {
      text: 'web is running; log in with the ssh line below.',
      tone: 'ok',
      fields: { name: 'web', state: 'running', ssh: 'ssh -p 20001 root@dcm.example', ports: '80 -> dcm.example:20002' },
      private: true,
    },
    {
      buttons: [
        { id: 'b1', label: 'Stop' },
        { id: 'b2', label: 'Logs' },
      ],
    },
  ),
  'list with pages': letter(
    {
      text: 'You have 23 containers.',
      tone: 'info',
      table: {
        head: ['NAME', 'IMAGE', 'STATUS'],
        rows: Array.from({ length: 10 }, (_, n) => [`web${n}`, 'debian', 'Up 5m']),
      },
    },
    { page: { id: 'abcdefghjkmn', at: 1, of: 3 } },
  ),
  log: letter({ text: 'The log of web:', tone: 'info', code: 'listening on 8000\n\u001b[31mGET /\u001b[0m 200' }),
  'long log': letter({ text: 'The log of web:', tone: 'info', code: 'line of the log\n'.repeat(1000) }),
  refusal: letter(
    { text: 'You have no container called db; you have web.', tone: 'error', error: 'not_found' },
    { buttons: [{ id: 'b1', label: 'Try this' }] },
  ),
  confirmation: letter(
    { text: 'Remove web and everything inside it?', tone: 'warn', data: { confirm: true } },
    {
      buttons: [
        { id: 'b1', label: 'Confirm', danger: true },
        { id: 'b2', label: 'Cancel' },
      ],
    },
  ),
  'dangerous button': letter(
    { text: 'web is gone from Docker.', tone: 'warn' },
    { buttons: [{ id: 'b1', label: 'Remove it', danger: true, confirm: 'Really? This runs: rm web' }] },
  ),
  'missing arguments': letter({
    text: 'create needs NAME and --image.',
    tone: 'error',
    error: 'usage',
    ask: { command: 'create', given: {}, missing: ['name', 'image'] },
  }),
  repeat: letter({ text: 'Removed web.', tone: 'ok' }, { repeat: true }),
  hostile: letter(
    {
      text: hostile,
      tone: 'error',
      error: 'not_found',
      fields: { [hostile]: hostile },
      table: { head: ['A'], rows: [[hostile]] },
      code: hostile,
    },
    { buttons: [{ id: 'b1', label: hostile }] },
  ),
}

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
  const reply = fc.record(
    {
      text: text.map((one) => one || 'x'),
      tone: fc.constantFrom('ok' as const, 'info' as const, 'warn' as const, 'error' as const),
      fields: fc.dictionary(text, text, { maxKeys: 60 }),
      table: fc.record({
        head: fc.constant(['A', 'B']),
        rows: fc.array(
          fc.tuple(text, text).map((pair) => [...pair]),
          { maxLength: 12 },
        ),
      }),
      code: text,
    },
    { requiredKeys: ['text', 'tone'] },
  )
  const buttons = fc.array(
    fc.record(
      { id: fc.uuid(), label: text, danger: fc.constant(true as const), confirm: text },
      { requiredKeys: ['id', 'label'] },
    ),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(reply, buttons, (one, pressed) => {
      const message = render({ reply: one as unknown as Reply, buttons: pressed as Letter['buttons'] })
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
