import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Exec, ExecWish, LogChunk } from '../engine.ts'
import { HostError } from '../fault.ts'
import { failed, malformed } from './fault.ts'
import { logFrames } from './frames.ts'
import { latest } from './latest.ts'
import { containerId, fullId } from './names.ts'
import { maybeObject, object, string } from './read.ts'
import { deadlines, type Wire } from './wire.ts'

/** How long the engine may need to say how something ended that has closed its output. */
const settling = 10_000

const side = (value: number) => Math.max(1, Math.min(1000, Math.floor(value) || 1))

/** NAME[:GROUP] or ids, as the container's own files know them. @throws HostError `refused` */
function userOf(user = '0'): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?$/.test(user)) return user
  throw new HostError('refused', 'The user of a program inside has no proper name.')
}

/** Everything that arrives on a connection, as it arrives; the reader's pace holds the engine back. */
async function* arriving(socket: Duplex, what: string): AsyncGenerator<Buffer> {
  try {
    for await (const piece of socket as AsyncIterable<Buffer>) yield piece
  } catch (error) {
    throw failed(error, what)
  }
}

async function* terminal(pieces: AsyncIterable<Buffer>): AsyncGenerator<LogChunk> {
  for await (const data of pieces) yield { stream: 'stdout', data }
}

/**
 * Programs inside a container. Built from typed fields like create: never privileged, never detached, root of the container
 * or a user of its own. Docker docs, Engine API v1.41, ContainerExec and ExecStart (the connection is upgraded to raw bytes).
 */
export function createExec(wire: Wire) {
  return async function exec(engineId: string, wish: ExecWish): Promise<Exec> {
    if (wish.argv.length === 0 || wish.argv.some((word) => word.includes('\0')))
      throw new HostError('refused', 'What runs inside has to name a program, without NUL.')
    const { tty } = wish
    const body = {
      // An input that was ended at once, seen with Docker 20.10 on a busy machine: the program ends, its output never does.
      AttachStdin: wish.input !== false,
      AttachStdout: true,
      AttachStderr: true,
      Tty: tty !== null,
      User: userOf(wish.user),
      // The one folder that no member can replace by a link; see create.ts.
      WorkingDir: '/',
      Env: wish.env,
      Cmd: wish.argv,
    }
    const made = await wire.call('POST', ['containers', containerId(engineId), 'exec'], {
      body,
      deadline: deadlines.short,
    })
    const id = string(object(made.body, 'exec').Id, 'exec')
    if (!fullId.test(id)) throw malformed('exec')
    const socket = await wire.hijack(['exec', id, 'start'], {
      body: { Detach: false, Tty: tty !== null },
      deadline: deadlines.start,
    })
    // Who reads sees the failure; without a reader it must not end the process.
    socket.on('error', () => undefined)

    const look = async () =>
      object((await wire.call('GET', ['exec', id, 'json'], { deadline: deadlines.short })).body, 'exec')
    // A window that is drawn larger changes its size many times, and each is a connection of its own to the engine.
    const size = async (columns: number, rows: number): Promise<void> => {
      try {
        await wire.call('POST', ['exec', id, 'resize'], {
          query: { w: side(columns), h: side(rows) },
          deadline: deadlines.short,
        })
      } catch (error) {
        // It may have ended just now, or not have begun: the next change of size says it again.
        if (!(error instanceof HostError) || error.fault === 'down') throw error
      }
    }
    const resize = tty === null ? async () => undefined : latest(size)
    if (tty)
      await resize(tty.columns, tty.rows).catch((error: unknown) => {
        socket.destroy()
        throw error
      })

    const pieces = arriving(socket, 'exec')
    return {
      input: socket,
      output: tty === null ? logFrames(pieces) : terminal(pieces),
      resize,
      async exit() {
        const end = performance.now() + settling
        for (let wait = 5; ; wait = Math.min(wait * 2, 200)) {
          const seen = await look()
          const { Running, ExitCode } = maybeObject(seen)
          if (Running !== true) return typeof ExitCode === 'number' ? ExitCode : null
          if (performance.now() > end) return null
          await sleep(wait)
        }
      },
      close: () => void socket.destroy(),
    }
  }
}
