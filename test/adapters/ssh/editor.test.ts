import { expect, test } from 'vitest'
import { createEditor } from '../../../src/adapters/ssh/editor.ts'

function open() {
  const seen = { written: 0, lines: [] as string[] }
  const editor = createEditor({
    write: (text) => void (seen.written += text.length),
    columns: () => 80,
    line: (text) => void seen.lines.push(text),
    complete: async () => [],
    interrupt: () => undefined,
    end: () => undefined,
  })
  editor.ask('dcm> ')
  return { seen, feed: (text: string) => editor.feed(Buffer.from(text)) }
}

test.each(['\u0002', '\u001b[D', 'b\u0017', '\u0010', '\u0001x'])(
  'F06: thousands of %j on a long line are drawn no oftener than they come',
  (keys) => {
    const { seen, feed } = open()
    feed(`${'a'.repeat(7000)}${' '.repeat(5000)}b`)
    seen.written = 0
    feed(keys.repeat(2000))
    expect(seen.written).toBeLessThan(40_000)
  },
)

test('words are taken from the end, with the blanks behind them', () => {
  const { seen, feed } = open()
  feed('one two  three  \u0017\u0017last\r')
  expect(seen.lines).toEqual(['one last'])
})

test('keys that come at once leave the line that they leave one by one', () => {
  const keys = ['ps  ab', '\u001b[D', 'x', '\u0017', '\u0001', 'y', '\u0005', 'z', '\u0002', '\u0004', '!', '\r']
  const [together, apart] = [open(), open()]
  together.feed(keys.join(''))
  for (const one of keys) apart.feed(one)
  expect(together.seen.lines).toEqual(apart.seen.lines)
  expect(together.seen.lines).toEqual(['yps  b!'])
})
