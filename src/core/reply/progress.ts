import { printable, width } from './text.ts'

/** Where something is shown while it goes on: a terminal, when it is one, of so many columns. */
export type Screen = { write(text: string): unknown; isTTY?: boolean; columns?: number }

const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

/** The first of a text that takes no more columns than there are, which may be none. */
function fit(text: string, columns: number): string {
  let [end, taken] = [0, 0]
  for (const char of text) {
    if ((taken += width(char)) > columns) break
    end += char.length
  }
  return text.slice(0, end)
}

/** Tells of progress: one line that changes on a terminal, plain lines elsewhere, nothing at all when `quiet`. */
export function createProgress(screen: Screen, quiet: boolean) {
  let shown = ''
  let frame = 0
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    screen.write(`\r\u001b[K${frames[frame++ % frames.length]} ${fit(shown, (screen.columns || 80) - 3)}`)
  }
  return {
    say(text: string) {
      const line = printable(text).replace(/\s+/g, ' ')
      if (line === shown) return
      shown = line
      if (!screen.isTTY) {
        if (!quiet) screen.write(`${line}\n`)
        return
      }
      timer ??= setInterval(draw, 100)
      draw()
    },
    /** Takes the line away, before anything else is printed. */
    clear() {
      clearInterval(timer)
      timer = undefined
      if (screen.isTTY && shown !== '') screen.write('\r\u001b[K')
      shown = ''
    },
  }
}
