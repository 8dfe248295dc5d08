import { width } from '../../core/reply/text.ts'

/** What the editor needs of the world. */
export type EditorDeps = {
  write(text: string): void
  columns(): number
  /** What could stand at the end of this text. */
  complete(text: string): Promise<string[]>
  /** A finished line; the next one is asked for by `ask`. */
  line(text: string): void
  /** Ctrl-C; `typed` says whether a line was being written. */
  interrupt(typed: boolean): void
  /** Ctrl-D on an empty line. */
  end(): void
}

/** Longer lines are refused, not cut: a half-read command must not run. */
export const mostLine = 16 * 1024
const mostHistory = 500
const mostWaiting = 64 * 1024

// Keys as terminals send them: a sequence of ECMA-48, a letter after Escape, or one character; bidi controls are dropped.
const key =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001bO[A-Za-z]|\u001b[A-Za-z\u007f]|\u001b|[\u0000-\u001f\u007f]|[^\u0000-\u001f\u007f\u001b]+/g
const partial = /\u001b(?:\[[0-?]*[ -/]*|O)?$/
const unseen = /[\u0080-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffd]/g

const names: Record<string, string> = {
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  '\u0010': 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  '\u000e': 'down',
  '\u001b[C': 'right',
  '\u001bOC': 'right',
  '\u0006': 'right',
  '\u001b[D': 'left',
  '\u001bOD': 'left',
  '\u0002': 'left',
  '\u001b[H': 'home',
  '\u001bOH': 'home',
  '\u001b[1~': 'home',
  '\u0001': 'home',
  '\u001b[F': 'end',
  '\u001bOF': 'end',
  '\u001b[4~': 'end',
  '\u0005': 'end',
  '\u001b[3~': 'delete',
  '\u007f': 'backspace',
  '\u0008': 'backspace',
  '\u001bb': 'word-left',
  '\u001b[1;5D': 'word-left',
  '\u001bf': 'word-right',
  '\u001b[1;5C': 'word-right',
  '\u0017': 'kill-word',
  '\u001b\u007f': 'kill-word',
  '\u0015': 'kill-before',
  '\u000b': 'kill-after',
  '\u0019': 'yank',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u0003': 'interrupt',
  '\u0004': 'eof',
  '\u000c': 'clear',
}

const common = (list: readonly string[]) => {
  let prefix = list[0] ?? ''
  for (const one of list) while (!one.startsWith(prefix)) prefix = prefix.slice(0, -1)
  return prefix
}

/**
 * A line editor for a terminal at the other end of a wire: history, completion, the usual Emacs keys. Its work is
 * bounded by what arrives, so that no flood of keys holds up anybody else.
 */
export function createEditor(deps: EditorDeps) {
  const history: string[] = []
  const decoder = new TextDecoder()
  let [prompt, text, cursor, row] = ['', '', 0, 0]
  let [at, draft, killed, keep] = [0, '', '', true]
  let [asking, completing, tabs, long] = [false, false, 0, false]
  let [rest, waiting] = ['', '']
  let ended = false
  /** Several keys that come at once are drawn once: `stale` says that something is to be drawn. */
  let [together, stale] = [false, false]

  /** Draws the line anew from where it began, and puts the cursor in its place. */
  function draw(): void {
    const columns = Math.max(2, deps.columns())
    const all = width(prompt) + width(text)
    const here = width(prompt) + width(text.slice(0, cursor))
    const up = (rows: number) => (rows > 0 ? `\u001b[${rows}A` : '')
    const right = here % columns
    // A terminal waits at the last column; a blank makes it go on to the next row.
    const full = all > 0 && all % columns === 0 ? ' \r' : ''
    deps.write(
      `${up(row)}\r\u001b[J${prompt}${text}${full}${up(Math.floor(all / columns) - Math.floor(here / columns))}\r${right > 0 ? `\u001b[${right}C` : ''}`,
    )
    row = Math.floor(here / columns)
    stale = false
  }

  const drawn = () => {
    if (stale) draw()
  }

  function set(next: string, place = next.length): void {
    text = next
    cursor = place
    if (together) stale = true
    else draw()
  }

  function insert(typed: string): void {
    const clean = typed.replace(unseen, '')
    if (text.length + clean.length > mostLine) {
      long = true
      deps.write('\u0007')
      return
    }
    const short = !stale && cursor === text.length && text.length + clean.length < 2 * deps.columns()
    if (short && width(prompt) + width(text) + width(clean) < deps.columns()) {
      // What is typed at the end of a short line shows itself.
      text += clean
      cursor = text.length
      return deps.write(clean)
    }
    set(text.slice(0, cursor) + clean + text.slice(cursor), cursor + clean.length)
  }

  function finish(): void {
    if (cursor < text.length) set(text)
    drawn()
    deps.write('\r\n')
    const line = text
    const refused = long
    ;[text, cursor, row, long, asking] = ['', 0, 0, false, false]
    if (keep && line.trim() !== '' && history.at(-1) !== line && !refused) history.push(line)
    if (history.length > mostHistory) history.shift()
    if (!refused) return deps.line(line)
    deps.write(`That line is longer than ${mostLine} characters.\r\n`)
    deps.line('')
  }

  const wordStart = () => {
    let from = cursor
    while (from > 0 && /\s/.test(text[from - 1]!)) from--
    while (from > 0 && /\S/.test(text[from - 1]!)) from--
    return from
  }
  const wordEnd = () => cursor + (/^\s*\S*/.exec(text.slice(cursor))?.[0].length ?? 0)
  /** Before a character that takes two code units, both are stepped over. */
  const step = (from: number, by: 1 | -1) => {
    const code = text.charCodeAt(by === 1 ? from + 1 : from - 1)
    const half = code >= 0xdc00 && code <= 0xdfff
    return Math.max(0, Math.min(text.length, from + by * (half ? 2 : 1)))
  }

  function cut(from: number, to: number): void {
    killed = text.slice(from, to)
    set(text.slice(0, from) + text.slice(to), from)
  }

  function recall(next: number): void {
    if (!keep || next < 0 || next > history.length || next === at) return
    if (at === history.length) draft = text
    at = next
    set(at === history.length ? draft : history[at]!)
  }

  async function complete(): Promise<void> {
    completing = true
    const before = text.slice(0, cursor)
    // Not /\S*$/, which takes the square of a line's length.
    const word = before.split(/\s/).at(-1)!
    try {
      const found = await deps.complete(before)
      if (ended || !asking) return
      const longest = common(found)
      if (found.length === 1) insert(`${found[0]!.slice(word.length)} `)
      else if (longest.length > word.length) insert(longest.slice(word.length))
      else if (found.length > 1 && tabs > 1) {
        const most = Math.max(...found.map(width)) + 2
        const each = Math.max(1, Math.floor(deps.columns() / most))
        const lines: string[] = []
        for (let first = 0; first < found.length; first += each)
          lines.push(
            found
              .slice(first, first + each)
              .map((one) => one.padEnd(most))
              .join('')
              .trimEnd(),
          )
        deps.write(`\r\n${lines.join('\r\n')}\r\n`)
        row = 0
        draw()
      } else deps.write('\u0007')
    } finally {
      completing = false
      typed('')
    }
  }

  function press(name: string): void {
    tabs = name === 'tab' ? tabs + 1 : 0
    switch (name) {
      case 'enter':
        return finish()
      case 'tab':
        return void complete()
      case 'up':
        return recall(at - 1)
      case 'down':
        return recall(at + 1)
      case 'left':
      case 'right':
        return set(text, step(cursor, name === 'right' ? 1 : -1))
      case 'home':
        return set(text, 0)
      case 'end':
        return set(text)
      case 'word-left':
        return set(text, wordStart())
      case 'word-right':
        return set(text, wordEnd())
      case 'backspace':
      case 'delete': {
        const other = step(cursor, name === 'delete' ? 1 : -1)
        const [from, to] = [Math.min(cursor, other), Math.max(cursor, other)]
        return set(text.slice(0, from) + text.slice(to), from)
      }
      case 'kill-word':
        return cut(wordStart(), cursor)
      case 'kill-before':
        return cut(0, cursor)
      case 'kill-after':
        return cut(cursor, text.length)
      case 'yank':
        return insert(killed)
      case 'clear':
        deps.write('\u001b[H\u001b[2J')
        row = 0
        return draw()
      case 'eof':
        if (text !== '') return press('delete')
        asking = false
        return deps.end()
      case 'interrupt': {
        const had = text !== ''
        drawn()
        deps.write('^C\r\n')
        ;[text, cursor, row, long, asking] = ['', 0, 0, false, false]
        return deps.interrupt(had)
      }
    }
  }

  /** Takes keys while a line is asked for; what comes in between waits, except Ctrl-C. */
  function typed(more: string): void {
    waiting += more
    if (!asking && waiting.includes('\u0003')) {
      waiting = ''
      return deps.interrupt(false)
    }
    if (waiting.length > mostWaiting) {
      waiting = ''
      deps.write('\u0007')
    }
    if (!asking || completing) return
    const found = waiting.match(key) ?? []
    waiting = ''
    const within = together
    together = true
    for (const [index, one] of found.entries()) {
      if (!asking || completing) {
        waiting = found.slice(index).join('')
        break
      }
      const name = names[one]
      if (name) press(name)
      else if (one >= ' ' && one[0] !== '\u001b') insert(one)
    }
    together = within
    if (!together) drawn()
  }

  return {
    /** Bytes from the terminal. */
    feed(bytes: Buffer): void {
      if (ended) return
      const all = rest + decoder.decode(bytes, { stream: true })
      const cutOff = partial.exec(all)
      // An Escape alone at the end may be the start of a longer key, unless it already was all there is.
      const keepBack = cutOff && all.length - cutOff.index < 32 && all !== '\u001b' ? cutOff.index : all.length
      rest = all.slice(keepBack)
      typed(all.slice(0, keepBack))
    },
    /** Asks for one line. `once`: an answer that stays out of the history. */
    ask(words: string, once = false): void {
      ;[prompt, text, cursor, row, at, draft, keep, asking] = [words, '', 0, 0, history.length, '', !once, true]
      draw()
      typed('')
    },
    /** The terminal has another size: what is written is drawn anew. */
    resized(): void {
      if (asking) draw()
    },
    stop(): void {
      ended = true
    },
  }
}
