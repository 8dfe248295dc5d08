import { errorCodes } from '../../core/reply/error.ts'
import type { Reply, ReplyFile } from '../../core/reply/reply.ts'

/** On every answer: nothing is cached, guessed at, framed or read by another site's page. */
const secure = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

export type Headers = Record<string, string>

/** Any answer, with the headers that all of them have. */
export const respond = (
  body: string | Uint8Array | ReadableStream<Uint8Array> | null,
  status: number,
  headers: Headers,
): Response => new Response(body as string, { status, headers: { ...secure, ...headers } })

/** What holds a place for a large answer, and gives what lets it go. */
export type Keeping = () => () => void

/** Characters above which an answer is a large one, and how many of it are handed on at a time. */
const large = 64 * 1024

/** A large body goes out as it is read, and `keeping` is asked for a place for it first. */
export function respondJson(value: unknown, status: number, headers: Headers, keeping?: Keeping): Response {
  const text = JSON.stringify(value)
  const typed = { 'Content-Type': 'application/json', ...headers }
  if (!keeping || text.length <= large) return respond(text, status, typed)
  const free = keeping()
  return respond(toStream(piecewise(text, free), free), status, typed)
}

async function* piecewise(text: string, free: () => void): AsyncGenerator<Uint8Array> {
  try {
    // By bytes: between two halves of a character neither would be one.
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += large) yield bytes.subarray(at, at + large)
  } finally {
    free()
  }
}

/** The Reply as it travels: a file is only named, its bytes follow another way. */
export const onWire = (reply: Reply): unknown =>
  reply.file ? { ...reply, file: { name: reply.file.name, type: reply.file.type } } : reply

/** A Reply as an answer; its bytes instead, when it is a file. */
export function respondReply(reply: Reply, headers: Headers, keeping?: Keeping): Response {
  if (reply.error) return respondJson(onWire(reply), errorCodes[reply.error], headers)
  if (reply.file) return respondFile(reply.file, headers)
  if (reply.operation?.state === 'running')
    return respondJson(reply, 202, { ...headers, Location: `/v1/operations/${encodeURIComponent(reply.operation.id)}` })
  return respondJson(reply, 200, headers, keeping)
}

function respondFile(file: ReplyFile, headers: Headers): Response {
  const type = /^[\w.+-]+\/[\w.+-]+(; charset=[\w-]+)?$/.test(file.type) ? file.type : 'application/octet-stream'
  return respond(toStream(file.bytes), 200, {
    ...headers,
    'Content-Type': type,
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
  })
}

/** Pulls bytes only as fast as they are read, and lets go of their source when the reader leaves. */
export function toStream(bytes: AsyncIterable<Uint8Array>, left?: () => void): ReadableStream<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel() {
      left?.()
      // Not awaited: a source that hangs must not keep the connection.
      source.return?.().then(undefined, () => undefined)
    },
  })
}
