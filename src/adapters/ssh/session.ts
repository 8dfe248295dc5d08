import type { PseudoTtyInfo, ServerChannel, Session } from 'ssh2'
import type { Attendance } from '../../core/door/attend.ts'
import type { Door } from '../../core/door/door.ts'
import type { Target } from '../../core/door/open.ts'
import { printable } from '../../core/reply/text.ts'
import type { Log } from '../../core/model/log.ts'
import type { Admitted } from './authenticate.ts'
import { oneCommand, script } from './command.ts'
import { pour } from './pour.ts'
import { runPrompt } from './prompt.ts'
import type { Sink } from './sink.ts'
import type { ToolDeps } from './tool.ts'

/** What a session asks of the connection that it is on. */
export type SessionDeps = {
  door: Door
  log: Log
  version: string
  who: Admitted
  tool: ToolDeps
  /** Aborted when the connection is gone. */
  over: AbortSignal
  /** The connection, as others see it. */
  attendance: Attendance
  /** Runs what a channel is for, and closes it with the outcome. `counts`: somebody waits for it, as nobody does for a prompt. */
  serve(channel: ServerChannel, terminal: boolean, work: (sink: Sink) => Promise<number | null>, counts?: boolean): void
}

/** A terminal at the other end; its size follows the client's window. */
export type Pty = { term: string; columns: number; rows: number }

const clamp = (value: number | undefined, usual: number) => (value && value > 0 ? Math.min(value, 1000) : usual)
const sizeOf = (info: Pick<PseudoTtyInfo, 'cols' | 'rows'>): Omit<Pty, 'term'> => ({
  columns: clamp(info.cols, 80),
  rows: clamp(info.rows, 24),
})

/** Serves one session (RFC 4254 section 6): the tool, or a program in the container that the login named. */
export function serveSession(session: Session, deps: SessionDeps): void {
  const { door, log, who, tool, over, serve, attendance } = deps
  let pty: Pty | undefined
  let resized: () => void = () => undefined
  let signalled: (name: string) => void = () => undefined
  const end = new AbortController()
  const abort = () => end.abort()
  over.addEventListener('abort', abort, { once: true })
  session.on('close', () => {
    over.removeEventListener('abort', abort)
    end.abort()
  })

  session.on('pty', (accept, _reject, info) => {
    const { term } = info as { term?: string }
    pty = { term: term ?? 'xterm', ...sizeOf(info) }
    accept?.()
  })
  session.on('window-change', (accept, _reject, info) => {
    if (pty) Object.assign(pty, sizeOf(info))
    resized()
    accept?.()
  })
  session.on('signal', (accept, _reject, { name }) => {
    signalled(name.replace(/^SIG/, ''))
    accept?.()
  })

  session.on('shell', (accept) => begin(accept(), undefined))
  session.on('exec', (accept, _reject, { command }) => begin(accept(), command))
  session.on('subsystem', (accept, reject, { name }) => {
    const { container } = who
    if (name !== 'sftp' || !container) return reject?.()
    const channel = accept()
    serve(channel, false, (sink) => enter(channel, sink, { container, kind: 'sftp', terminal: null }))
  })

  // A channel is accepted before anything is looked up: the client's end of input may come at once.
  function begin(channel: ServerChannel, line: string | undefined): void {
    const { container } = who
    if (container) {
      const terminal = pty ? { ...pty } : null
      const what = line === undefined ? { kind: 'shell' as const } : { kind: 'command' as const, line }
      return serve(channel, terminal !== null, (sink) => enter(channel, sink, { container, terminal, ...what }))
    }
    const screen = (terminal: Pty) => ({
      columns: () => terminal.columns,
      onBytes: (listener: (bytes: Buffer) => void) => void channel.on('data', listener),
      onResize: (listener: () => void) => void (resized = listener),
      signal: end.signal,
    })
    const terminal = pty
    if (line !== undefined)
      return serve(channel, terminal !== undefined, (sink) =>
        oneCommand(
          tool,
          line,
          terminal ? { ...screen(terminal), put: sink.put } : { channel, sink, signal: end.signal },
        ),
      )
    if (!terminal)
      return serve(channel, false, async (sink) => {
        // Whoever comes with an invitation often has nothing to type yet.
        if (who.enrolled) await sink.put('stderr', `${printable(await greeting())}\n`)
        return script(tool, { channel, sink, signal: end.signal })
      })
    channel.on('end', abort)
    return serve(
      channel,
      true,
      async (sink) => runPrompt(tool, { ...screen(terminal), put: sink.put }, await greeting()),
      false,
    )
  }

  async function greeting(): Promise<string> {
    const { person } = (await tool.who()) as Admitted['actor']
    return who.enrolled
      ? `Welcome, ${person.name}: this key is yours here from now on. Log in as ${person.name} with it.`
      : `DCM ${deps.version}: welcome, ${person.name}. Type help for what you can do, exit or Ctrl-D to leave.`
  }

  async function enter(
    channel: ServerChannel,
    sink: Sink,
    target: Target & { terminal?: unknown },
  ): Promise<number | null> {
    const say = (text: string) => void sink.put('stderr', `${printable(text)}\r\n`)
    const opened = await door.open(await tool.who(), target, { attendance, say })
    tool.doing(`${target.kind} in ${opened.name}`)
    resized = () =>
      void opened
        .resize(pty!.columns, pty!.rows)
        .catch((err: unknown) => log.debug({ err }, 'a terminal kept its size'))
    signalled = (name) => void opened.signal(name).catch((err: unknown) => log.debug({ err }, 'a signal was lost'))
    // It may have changed while the container was being opened.
    if (pty && target.terminal) resized()
    return (await pour(channel, sink, opened, Boolean(target.terminal), end.signal)) ?? 255
  }
}
