import type { Socket } from 'node:net'
import type { ServerChannel } from 'ssh2'

/** Writes to one SSH channel, in order and at the client's pace. */
export type Sink = {
  /** @returns false once nobody reads any more */
  put(stream: 'stdout' | 'stderr', data: Buffer | string): Promise<boolean>
  /** Sends the exit code, where there is one, and closes, after all that was put. */
  end(code: number | null): Promise<void>
  /** Nothing can be written any more: whoever waits is let go. */
  gone(): void
  readonly over: boolean
}

/** More than this in the socket, and its reader is waited for: a client may promise to take more than it reads. */
const mostUnsent = 4 * 1024 * 1024

/** What ssh2 1.17.0 keeps of a piece that had to wait for window, and never lets go of. */
type Stale = { _chunk?: unknown; _chunkcb?: unknown; _chunkErr?: unknown; _chunkcbErr?: unknown }

/**
 * Makes a Sink of a channel; one write at a time, for ssh2 mixes up stdout and stderr when both wait for window. A
 * terminal has but one stream: OpenSSH's client shows nothing of the other then.
 */
export function createSink(channel: ServerChannel, socket: Socket, terminal: boolean): Sink {
  let last: Promise<unknown> = Promise.resolve()
  let over = false
  let release: () => void = () => undefined
  const gone = () => {
    over = true
    release()
  }
  channel.on('error', gone)
  channel.stderr.on('error', gone)
  channel.on('close', gone)

  const write = (stream: 'stdout' | 'stderr', data: Buffer | string) =>
    new Promise<void>((resolve) => {
      if (over) return resolve()
      release = resolve
      const stale = channel as unknown as Stale
      // A piece that waited once would be sent again when the other stream waits.
      stale._chunk = stale._chunkcb = stale._chunkErr = stale._chunkcbErr = undefined
      try {
        ;(stream === 'stderr' && !terminal ? channel.stderr : channel).write(data, () => resolve())
      } catch {
        gone()
      }
    })

  const drained = () =>
    new Promise<void>((resolve) => {
      if (over || socket.destroyed || socket.writableLength < mostUnsent) return resolve()
      const go = () => {
        socket.off('drain', go).off('close', go)
        resolve()
      }
      socket.on('drain', go).on('close', go)
    })

  const queue = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }

  return {
    put: (stream, data) =>
      queue(async () => {
        if (data.length > 0) {
          await write(stream, data)
          await drained()
        }
        return !over
      }),
    end: (code) =>
      queue(async () => {
        if (over) return
        try {
          if (code !== null) channel.exit(code)
          channel.end()
        } catch {
          gone()
        }
      }),
    gone,
    get over() {
      return over
    },
  }
}
