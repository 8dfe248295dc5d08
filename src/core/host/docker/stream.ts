import type { Readable } from 'node:stream'
import { HostError } from '../fault.ts'
import { failed, malformed } from './fault.ts'

/**
 * Reads a stream piece by piece. Only the wait for the next piece is timed, so a slow reader holds the engine back
 * and is not taken for a dead link.
 * @throws HostError `down` after `idle` milliseconds of silence
 */
export async function* pieces(
  stream: Readable,
  idle: number,
  what: string,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const abort = () => stream.destroy(new HostError('down', `Reading ${what} was given up.`))
  try {
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    for (;;) {
      const timer = setTimeout(() => stream.destroy(new HostError('down', `The engine fell silent in ${what}.`)), idle)
      let next: IteratorResult<Buffer>
      try {
        next = await iterator.next()
      } catch (error) {
        throw failed(error, what)
      } finally {
        clearTimeout(timer)
      }
      if (next.done) return
      yield next.value
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    stream.destroy()
  }
}

/** Reads newline-separated JSON objects. A line longer than 4 MiB is taken for a broken answer. */
export async function* jsonLines(
  stream: Readable,
  idle: number,
  what: string,
  signal?: AbortSignal,
): AsyncGenerator<unknown> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of pieces(stream, idle, what, signal)) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > 4 * 1024 * 1024) throw malformed(what)
    for (const line of lines) {
      if (line.trim() === '') continue
      let value: unknown
      try {
        value = JSON.parse(line)
      } catch {
        throw malformed(what)
      }
      yield value
    }
  }
  if (rest.trim() !== '') throw malformed(what)
}
