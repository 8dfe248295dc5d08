import type { ServerChannel } from 'ssh2'
import { createEditor } from './editor.ts'
import { createPiped } from './piped.ts'
import { onTerminal, type Screen } from './prompt.ts'
import type { Sink } from './sink.ts'
import { runLine, type ToolDeps } from './tool.ts'

/** A client without a terminal. */
export type Pipe = { channel: ServerChannel; sink: Sink; signal: AbortSignal }

/** One command, as `ssh host ps`; on a terminal it may ask, and Ctrl-C stops the waiting. @returns its exit code */
export async function oneCommand(tool: ToolDeps, line: string, from: Pipe | Screen): Promise<number> {
  if ('channel' in from) {
    const input = createPiped(from.channel)
    try {
      return await runLine(tool, line, { put: from.sink.put, columns: undefined, input, signal: from.signal })
    } finally {
      input.end()
    }
  }
  const { put, columns, signal, onBytes, onResize } = from
  const stop = new AbortController()
  let answer: (text: string) => void = () => undefined
  const editor = createEditor({
    write: (text) => void put('stdout', text),
    columns,
    complete: async () => [],
    line: (text) => answer(text),
    interrupt: () => (stop.abort(), answer('')),
    end: () => answer(''),
  })
  onBytes((bytes) => editor.feed(bytes))
  onResize(() => editor.resized())
  const code = await runLine(tool, line, {
    put: onTerminal(put),
    columns,
    async confirm(question) {
      const said = await new Promise<string>((resolve) => {
        answer = resolve
        signal.addEventListener('abort', () => resolve(''), { once: true })
        editor.ask(question, true)
      })
      return /^y(es)?$/i.test(said.trim())
    },
    signal: AbortSignal.any([signal, stop.signal]),
  })
  return stop.signal.aborted ? 130 : code
}

/** Lines that are piped in, one command each. @returns the last one's exit code */
export async function script(tool: ToolDeps, from: Pipe): Promise<number> {
  let code = 0
  for (const line of (await createPiped(from.channel).text()).split('\n')) {
    if (from.signal.aborted) break
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    code = await runLine(tool, line, { put: from.sink.put, columns: undefined, signal: from.signal })
  }
  return code
}
