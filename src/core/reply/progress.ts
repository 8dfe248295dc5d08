import { printable, width } from './text.ts'

/** Where something is shown while it goes on: a terminal, when it is one, of so many columns. */
export type Screen = { write(text: string): unknown; isTTY?: boolean; columns?: number }

const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

/** Tells of progress: one line that changes on a terminal, plain lines elsewhere, nothing at all when `quiet`. */
export function createProgress(screen: Screen, quiet: boolean) {
  let shown = ''
  let frame = 0
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    const columns = screen.columns || 80
    let text = shown
    while (width(text) > columns - 3) text = text.slice(0, -1)
    screen.write(`\r\u001b[K${frames[frame++ % frames.length]} ${text}`)
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
