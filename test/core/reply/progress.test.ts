import { expect, test } from 'vitest'
import { createProgress } from '../../../src/core/reply/progress.ts'

/** What one frame shows of a text, without what moves the cursor. */
function frame(columns: number, text: string): string {
  const written: string[] = []
  const progress = createProgress({ write: (part) => written.push(part), isTTY: true, columns }, false)
  progress.say(text)
  progress.clear()
  return written[0]!.slice('\r\u001b[K⠋ '.length)
}

test.each([
  [1, 'starting', ''],
  [2, 'starting', ''],
  [3, 'starting', ''],
  [4, 'starting', 's'],
  [10, 'starting', 'startin'],
  [80, 'starting', 'starting'],
  [8, '写写写', '写写'],
  [4, '写', ''],
])('F06: on %d columns %j is shown as far as it fits, however few there are', (columns, text, shown) =>
  expect(frame(columns, text)).toBe(shown),
)
