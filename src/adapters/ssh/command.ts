import type { ServerChannel } from 'ssh2'
import { DcmError } from '../../core/reply/error.ts'
import { createEditor } from './editor.ts'
import { onTerminal, type Screen } from './prompt.ts'
import type { Sink } from './sink.ts'
import { runLine, type ToolDeps } from './tool.ts'

/** A client without a terminal. */
export type Pipe = { channel: ServerChannel; sink: Sink; signal: AbortSignal }

const mostPiped = 512 * 1024

/** All that is piped in. @throws DcmError when it is too much, or nothing comes for a minute */
function piped({ channel, signal }: Pipe): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    const late = setTimeout(() => reject(new DcmError('usage', 'Nothing more was piped in for a minute.')), 60_000)
    const done = () => {
      clearTimeout(late)
      resolve(Buffer.concat(parts).toString('utf8'))
    }
    channel.on('data', (part: Buffer) => {
      late.refresh()
      if ((size += part.length) <= mostPiped) parts.push(part)
      else {
        clearTimeout(late)
        reject(new DcmError('usage', `More than ${mostPiped / 1024}k was piped in; that is too much.`))
      }
    })
    channel.on('end', done)
    signal.addEventListener('abort', done, { once: true })
  })
}

/** One command, as `ssh host ps`; on a terminal it may ask, and Ctrl-C stops the waiting. @returns its exit code */
export async function oneCommand(tool: ToolDeps, line: string, from: Pipe | Screen): Promise<number> {
  if ('channel' in from)
    return runLine(tool, line, {
      put: from.sink.put,
      columns: undefined,
      input: () => piped(from),
      signal: from.signal,
    })
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
  for (const line of (await piped(from)).split('\n')) {
    if (from.signal.aborted) break
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    code = await runLine(tool, line, { put: from.sink.put, columns: undefined, signal: from.signal })
  }
  return code
}
