import type { Socket } from 'node:net'
import type { Connection, PseudoTtyInfo, ServerChannel, Session } from 'ssh2'
import type { Attendance } from '../../core/door/attend.ts'
import type { Target } from '../../core/door/open.ts'
import type { Actor } from '../../core/model/person.ts'
import { DcmError, exitCodes } from '../../core/reply/error.ts'
import { printable } from '../../core/reply/text.ts'
import { type Admitted, authenticate, type AuthDeps } from './authenticate.ts'
import { createEditor } from './editor.ts'
import { pour } from './pour.ts'
import { onTerminal, runPrompt } from './prompt.ts'
import { createSink, type Sink } from './sink.ts'
import { sweep } from './sweep.ts'
import { type Console, runLine, type ToolDeps } from './tool.ts'

export type ConnectionDeps = AuthDeps & { version: string }

/** One connection, as the listener sees it. */
export type Live = {
  /** Says why, closes what is open, and the connection. */
  leave(why: string): void
  /** How much runs that somebody waits for: commands and what was opened in containers, not prompts. */
  busy(): number
}

/** Channels that one connection may have open at a time. */
const mostChannels = 32
const mostPiped = 512 * 1024
/** More than this that nobody has read yet is no honest client's: ssh2 gives each channel a window of 2 MiB, and lets pass what goes beyond. */
const mostUnread = 4 * 1024 * 1024

type Size = { columns: number; rows: number }
type Pty = Size & { term: string }

const clamp = (value: number | undefined, usual: number) => (value && value > 0 ? Math.min(value, 1000) : usual)
const sizeOf = (info: Pick<PseudoTtyInfo, 'cols' | 'rows'>): Size => ({
  columns: clamp(info.cols, 80),
  rows: clamp(info.rows, 24),
})

/** Refuses a channel with a reason (RFC 4254 section 5.1), for which ssh2 has no argument. */
function because(client: Connection, why: string, reject: () => void): void {
  type Failing = { channelOpenFail(channel: number, code: number, words: string): void }
  const protocol = (client as unknown as { _protocol: Failing })._protocol
  const { channelOpenFail } = protocol
  protocol.channelOpenFail = (channel) => channelOpenFail.call(protocol, channel, 1, printable(why))
  try {
    reject()
  } finally {
    protocol.channelOpenFail = channelOpenFail
  }
}

/** Serves one SSH connection: who it is, then its channels. Nothing of it reaches a shell or a file of this machine. */
export function serveConnection(
  client: Connection,
  socket: Socket,
  address: string,
  deps: ConnectionDeps,
  admitted: () => void,
): Live {
  const { door, log } = deps
  const over = new AbortController()
  const sinks = new Map<Sink, ServerChannel>()
  let who: Admitted | undefined
  let attendance: Attendance | undefined
  let [channels, busy, leaving] = [0, 0, false]

  const cut = () => {
    over.abort()
    for (const sink of sinks.keys()) sink.gone()
  }
  const gone = () => {
    cut()
    attendance?.left().catch(() => undefined)
    attendance = undefined
  }

  function leave(why: string): void {
    if (over.signal.aborted || leaving) return
    leaving = true
    log.info({ address, member: who?.actor.person.name, why }, 'an SSH connection is ended')
    const told = [...sinks.keys()].map((sink) => sink.put('stderr', `\r\n${why}\r\n`).then(() => sink.end(255)))
    void Promise.race([Promise.all(told), new Promise((resolve) => setTimeout(resolve, 500))]).then(() => {
      cut()
      client.end()
      setTimeout(() => socket.destroy(), 500).unref()
    })
  }

  let received = 0
  socket.on('data', (bytes: Buffer) => {
    sweep(bytes.length)
    if ((received += bytes.length) < 1024 * 1024) return
    received = 0
    if ([...sinks.values()].some((channel) => channel.readableLength > mostUnread)) socket.destroy()
  })

  client.on('error', (error) => {
    log.debug({ address, err: error }, 'an SSH connection failed')
    // ssh2 leaves a socket half open after some errors.
    gone()
    setTimeout(() => socket.destroy(), 500).unref()
  })
  client.on('end', gone)
  client.on('close', gone)

  authenticate(client, address, deps, async (admission) => {
    attendance = await door.attend(
      admission.actor,
      admission.container ? `in ${printable(admission.container)}` : 'logged in',
      leave,
    )
    if (over.signal.aborted) {
      await attendance.left()
      throw new DcmError('conflict', 'The connection is gone.')
    }
    who = admission
    admitted()
  })

  const doing = (text: string) => attendance?.doing(text)

  /** Who calls now. A key that changed hands, or a member who may no longer be here, ends the connection. */
  async function caller(): Promise<Actor> {
    const { fingerprint, person } = who!.actor
    const actor = await door.identify({ kind: 'key', fingerprint: fingerprint! }, { surface: 'ssh', address })
    if (actor.person?.id === person.id && actor.person.state === 'active') return actor
    const why =
      actor.person?.id === person.id
        ? 'Your access is suspended; an admin can resume it.'
        : 'The key that you came in with is no longer yours here.'
    leave(why)
    throw new DcmError('unlinked', why)
  }
  const tool: ToolDeps = { door, who: caller, doing }

  /** Runs what a channel is for, and closes it with the outcome. */
  function serve(
    channel: ServerChannel,
    terminal: boolean,
    work: (sink: Sink) => Promise<number | null>,
    counts = true,
  ): void {
    const sink = createSink(channel, socket, terminal)
    sinks.set(sink, channel)
    if (counts) busy++
    void work(sink)
      .catch(async (error: unknown) => {
        const said = error instanceof DcmError ? error : undefined
        if (!said && !over.signal.aborted) log.warn({ address, err: error }, 'an SSH channel broke')
        if (channel.type === 'session')
          await sink.put('stderr', `${printable(said?.message ?? 'The link to the container was lost.')}\r\n`)
        return said ? exitCodes[said.code] : 255
      })
      .then((code) => sink.end(code))
      .finally(() => {
        if (counts) busy--
        sinks.delete(sink)
      })
  }

  function gate(): boolean {
    if (!who || over.signal.aborted || channels >= mostChannels) return false
    channels++
    return true
  }

  client.on('session', (accept, reject) => {
    if (!gate()) return reject()
    const session = accept()
    session.on('close', () => channels--)
    serveSession(session)
  })

  client.on('tcpip', (accept, reject, { destIP, destPort }) => {
    if (!gate()) return reject()
    caller()
      .then((actor) =>
        door.open(actor, { kind: 'forward', container: destIP, port: destPort }, { say: () => undefined }),
      )
      .then((opened) => {
        if (over.signal.aborted) return opened.close()
        const channel = accept()
        channel.on('close', () => channels--)
        doing(`forward to ${opened.name}`)
        serve(channel, false, (sink) => pour(channel, sink, opened, false, over.signal).then(() => null))
      })
      .catch((error: unknown) => {
        channels--
        if (!(error instanceof DcmError)) log.warn({ address, err: error }, 'a forward broke')
        because(client, error instanceof DcmError ? error.message : 'The container cannot be reached.', reject)
      })
  })

  function serveSession(session: Session): void {
    let pty: Pty | undefined
    let resized: () => void = () => undefined
    let signalled: (name: string) => void = () => undefined
    const end = new AbortController()
    const abort = () => end.abort()
    over.signal.addEventListener('abort', abort, { once: true })
    session.on('close', () => {
      over.signal.removeEventListener('abort', abort)
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
      if (name !== 'sftp' || !who?.container) return reject?.()
      const channel = accept()
      serve(channel, false, (sink) =>
        enter(channel, sink, { container: who!.container!, kind: 'sftp', terminal: null }),
      )
    })

    // A channel is accepted before anything is looked up: the client's end of input may come at once.
    function begin(channel: ServerChannel, command: string | undefined): void {
      const container = who!.container
      if (container) {
        const terminal = pty ? { ...pty } : null
        const what = command === undefined ? { kind: 'shell' as const } : { kind: 'command' as const, line: command }
        return serve(channel, terminal !== null, (sink) => enter(channel, sink, { container, terminal, ...what }))
      }
      if (command !== undefined) return serve(channel, pty !== undefined, (sink) => oneCommand(channel, sink, command))
      if (pty) return serve(channel, true, (sink) => prompt(channel, sink, pty!), false)
      serve(channel, false, (sink) => script(channel, sink))
    }

    async function enter(
      channel: ServerChannel,
      sink: Sink,
      target: Target & { terminal?: unknown },
    ): Promise<number | null> {
      const opened = await door.open(await caller(), target, {
        say: (text) => void sink.put('stderr', `${printable(text)}\r\n`),
      })
      doing(`${target.kind} in ${opened.name}`)
      resized = () =>
        void opened
          .resize(pty!.columns, pty!.rows)
          .catch((err: unknown) => log.debug({ err }, 'a terminal kept its size'))
      signalled = (name) => void opened.signal(name).catch((err: unknown) => log.debug({ err }, 'a signal was lost'))
      // It may have changed while the container was being opened.
      if (pty && target.terminal) resized()
      return (await pour(channel, sink, opened, Boolean(target.terminal), end.signal)) ?? 255
    }

    async function prompt(channel: ServerChannel, sink: Sink, terminal: Pty): Promise<number> {
      const { person } = (await caller()) as Admitted['actor']
      const greeting = who!.enrolled
        ? `Welcome, ${person.name}: this key is yours here from now on. Log in as ${person.name} with it.`
        : `DCM ${deps.version}: welcome, ${person.name}. Type help for what you can do, exit or Ctrl-D to leave.`
      return runPrompt(
        tool,
        {
          put: sink.put,
          columns: () => terminal.columns,
          onBytes: (listener) => void channel.on('data', listener).on('end', abort),
          onResize: (listener) => (resized = listener),
          signal: end.signal,
        },
        greeting,
      )
    }

    /** One command, as `ssh host ps`. */
    async function oneCommand(channel: ServerChannel, sink: Sink, line: string): Promise<number> {
      if (!pty) {
        const input = () => piped(channel)
        return runLine(tool, line, { put: sink.put, columns: undefined, input, signal: end.signal })
      }
      const terminal = pty
      const stop = new AbortController()
      const put = onTerminal(sink.put)
      let answer: (text: string) => void = () => undefined
      const editor = createEditor({
        write: (text) => void sink.put('stdout', text),
        columns: () => terminal.columns,
        complete: async () => [],
        line: (text) => answer(text),
        interrupt: () => (stop.abort(), answer('')),
        end: () => answer(''),
      })
      channel.on('data', (bytes: Buffer) => editor.feed(bytes))
      resized = () => editor.resized()
      const confirm: NonNullable<Console['confirm']> = async (question) => {
        const said = await new Promise<string>((resolve) => {
          answer = resolve
          end.signal.addEventListener('abort', () => resolve(''), { once: true })
          editor.ask(question, true)
        })
        return /^y(es)?$/i.test(said.trim())
      }
      const signal = AbortSignal.any([end.signal, stop.signal])
      const code = await runLine(tool, line, { put, columns: () => terminal.columns, confirm, signal })
      return stop.signal.aborted ? 130 : code
    }

    /** Lines that are piped in, one command each; the last one's exit code. */
    async function script(channel: ServerChannel, sink: Sink): Promise<number> {
      let code = 0
      for (const line of (await piped(channel)).split('\n')) {
        if (end.signal.aborted) break
        if (line.trim() === '' || line.trim().startsWith('#')) continue
        code = await runLine(tool, line, { put: sink.put, columns: undefined, signal: end.signal })
      }
      return code
    }

    const piped = (channel: ServerChannel): Promise<string> =>
      new Promise((resolve, reject) => {
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
        end.signal.addEventListener('abort', done, { once: true })
      })
  }

  return { leave, busy: () => busy }
}
