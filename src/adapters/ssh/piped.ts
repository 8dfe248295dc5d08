import type { ServerChannel } from 'ssh2'
import { DcmError } from '../../core/reply/error.ts'

/** What a client without a terminal pipes in. Nothing of it is read before somebody asks. */
export type Piped = {
  /** All of it, as text. @throws DcmError when it is too much or no text, or nothing comes for a minute */
  text(): Promise<string>
  /** As it comes, at the reader's pace; once. @throws DcmError when the client has gone before its end */
  bytes(): AsyncGenerator<Uint8Array>
  /** Whether it is a tar and no text, by its first header (POSIX.1-2017, pax, "ustar Interchange Format"). */
  isTar(): Promise<boolean>
  /** For what reads nothing of it. @returns whether something has come until then */
  watch(): () => boolean
  /** Nobody reads on: what still comes is dropped, for a channel with something unread is never over. */
  end(): void
}

const mostText = 512 * 1024
const block = 512

/** What ssh2 1.17.0 knows of why a channel's input has ended. */
type Ended = { incoming: { state: 'open' | 'eof' | 'closed' } }

export function createPiped(channel: ServerChannel): Piped {
  // Left where it is when nobody reads on: to destroy it would end the answer with it.
  const source = channel.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  let head = Buffer.alloc(0)

  async function next(): Promise<Buffer | undefined> {
    const gone = (cause?: unknown) => new DcmError('conflict', 'The transfer broke off before its end.', { cause })
    const got = await source.next().catch((cause: unknown) => Promise.reject(gone(cause)))
    if (!got.done) return got.value
    // An end that the client has said, and not one of its connection.
    if ((channel as unknown as Ended).incoming.state === 'closed') throw gone()
    return undefined
  }

  async function* bytes(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head
    for (let piece = await next(); piece; piece = await next()) yield piece
  }

  return {
    bytes,
    watch() {
      let came = false
      void source.next().then(
        ({ done }) => (came ||= !done),
        () => undefined,
      )
      return () => came
    },
    end: () =>
      void source.return?.().then(
        () => channel.resume(),
        () => undefined,
      ),
    async isTar() {
      for (let piece; head.length < block && (piece = await soon(next()));) head = Buffer.concat([head, piece])
      return head.subarray(257, 262).toString('latin1') === 'ustar'
    },
    async text() {
      const parts: Buffer[] = []
      let size = 0
      const all = bytes()
      for (let got = await soon(all.next()); !got.done; got = await soon(all.next())) {
        if ((size += got.value.length) > mostText)
          throw new DcmError('usage', `More than ${mostText / 1024}k was piped in; that is too much.`)
        parts.push(got.value)
      }
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
      } catch (cause) {
        throw new DcmError(
          'usage',
          'What is piped in is no text; a tar goes as it is, so put gunzip before ssh for a compressed one.',
          { cause },
        )
      }
    },
  }
}

/** @throws DcmError when it takes longer than a minute */
async function soon<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DcmError('usage', 'Nothing more was piped in for a minute.')), 60_000)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
