import type { Socket } from 'node:net'
import type { Connection, ServerChannel } from 'ssh2'
import type { Attendance } from '../../core/door/attend.ts'
import { DcmError, exitCodes } from '../../core/reply/error.ts'
import { printable } from '../../core/reply/text.ts'
import { type Admitted, authenticate, type AuthDeps } from './authenticate.ts'
import { pour } from './pour.ts'
import { serveSession } from './session.ts'
import { createSink, type Sink } from './sink.ts'
import { sweep } from './sweep.ts'
import { because } from './told.ts'
import type { ToolDeps } from './tool.ts'

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
/** More than this that nobody has read yet is no honest client's: ssh2 gives each channel a window of 2 MiB, and lets pass what goes beyond. */
const mostUnread = 4 * 1024 * 1024

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
  }

  function leave(why: string): void {
    if (over.signal.aborted || leaving) return
    leaving = true
    log.info({ address, member: who?.actor.person.name, why }, 'an SSH connection is ended')
    // OpenSSH's client shows nothing of a channel that is still open when the connection ends.
    const told = [...sinks].map(async ([sink, channel]) => {
      const closed = new Promise((resolve) => channel.once('close', resolve))
      await sink.put('stderr', `\r\n${why}\r\n`)
      await sink.end(255)
      await closed
    })
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

  const caller = () => attendance!.who()
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
    serveSession(session, {
      door,
      log,
      version: deps.version,
      who: who!,
      tool,
      over: over.signal,
      serve,
      attendance: attendance!,
    })
  })

  client.on('tcpip', (accept, reject, { destIP, destPort }) => {
    if (!gate()) return reject()
    const target = { kind: 'forward' as const, container: destIP, port: destPort }
    caller()
      .then((actor) => door.open(actor, target, { attendance: attendance! }))
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

  return { leave, busy: () => busy }
}
