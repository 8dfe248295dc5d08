import { createEditor } from './editor.ts'
import { type Console, runLine, type ToolDeps } from './tool.ts'

/** A terminal at the other end: how wide it is, what it sends, and where it shows. */
export type Screen = {
  put(stream: 'stdout' | 'stderr', data: Buffer | string): Promise<boolean>
  columns(): number
  onBytes(listener: (bytes: Buffer) => void): void
  onResize(listener: () => void): void
  /** Aborted when the connection is gone. */
  signal: AbortSignal
}

const lines = (data: Buffer | string) => (typeof data === 'string' ? data.replace(/\r?\n/g, '\r\n') : data)

/** A terminal's view of a Console: every line end also returns the carriage. */
export const onTerminal =
  (put: Console['put']): Console['put'] =>
  (stream, data) =>
    put(stream, lines(data))

/**
 * The prompt: lines are read, run and answered until the member leaves. `greeting` is shown first. Ctrl-C while a
 * command runs stops the waiting, never what was begun.
 * @returns the exit code of the last command
 */
export function runPrompt(deps: ToolDeps, screen: Screen, greeting: string): Promise<number> {
  const put = onTerminal(screen.put)
  const write = (text: string) => void screen.put('stdout', text)
  const { promise, resolve } = Promise.withResolvers<number>()
  let code = 0
  let running: AbortController | undefined
  let answer: ((text: string | undefined) => void) | undefined

  const leave = () => {
    editor.stop()
    running?.abort()
    answer?.(undefined)
    resolve(code)
  }

  const next = () => {
    deps.doing('prompt')
    editor.ask('dcm> ')
  }

  async function run(line: string): Promise<void> {
    const abort = (running = new AbortController())
    try {
      code = await runLine(deps, line, {
        put,
        columns: screen.columns,
        signal: abort.signal,
        confirm: async (question) => {
          const said = await new Promise<string | undefined>((settle) => {
            answer = settle
            editor.ask(question, true)
          })
          answer = undefined
          return /^y(es)?$/i.test(said?.trim() ?? '')
        },
      })
      if (abort.signal.aborted) code = 130
    } finally {
      running = undefined
    }
  }

  const editor = createEditor({
    write,
    columns: screen.columns,
    complete: async (text) => deps.door.complete(await deps.who(), text),
    line(text) {
      if (answer) return answer(text)
      const line = text.trim()
      if (line === '') return next()
      if (/^(exit|quit|logout|bye)$/.test(line)) return leave()
      if (line === 'clear') {
        write('\u001b[H\u001b[2J')
        return next()
      }
      run(line).then(() => screen.signal.aborted || next(), leave)
    },
    interrupt() {
      if (answer) return answer(undefined)
      if (running) return running.abort()
      code = 130
      next()
    },
    end() {
      if (answer) return answer(undefined)
      write('\r\n')
      leave()
    },
  })

  screen.onBytes((bytes) => editor.feed(bytes))
  screen.onResize(() => editor.resized())
  screen.signal.addEventListener('abort', leave, { once: true })
  void put('stdout', `${greeting}\n`)
  next()
  return promise
}
