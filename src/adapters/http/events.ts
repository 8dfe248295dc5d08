import type { ReplyFile } from '../../core/reply/reply.ts'
import { type Headers, respond, toStream } from './answer.ts'

/** How a stream of events ends. */
export type Last = { event: 'reply' | 'operation'; data: unknown; file?: ReplyFile | undefined }

const heartbeat = 15_000

const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`

/**
 * What happens to a request that goes on, as server-sent events (HTML standard, section 9.2): `progress` as often as there is
 * some, then one `reply` (or `operation`, for who asked for that), the bytes of its file as `file` in base64, and `end`,
 * without which it was cut short. A comment now and then keeps proxies from closing it. `work` does not throw. When the
 * reader leaves, `leave` is called; the operation goes on. `over` is called once all of it has been read, or nobody reads.
 */
export function respondEvents(
  work: (tell: (text: string, operationId: string) => void) => Promise<Last>,
  headers: Headers,
  leave: () => void,
  over: () => void = () => {},
): Response {
  const told: string[] = []
  let wake = () => {}
  const tell = (text: string, operation: string) => {
    // A reader that does not read gets the last of it, not a heap of all.
    if (told.length > 100) told.shift()
    told.push(event('progress', { text, operation }))
    wake()
  }

  async function* stream(): AsyncGenerator<string> {
    try {
      let last: Last | undefined
      void work(tell).then((value) => {
        last = value
        wake()
      })
      yield ': DCM\n\n'
      for (;;) {
        while (told.length > 0) yield told.shift()!
        if (last) break
        let timer: NodeJS.Timeout | undefined
        const quiet = await new Promise<boolean>((resolve) => {
          timer = setTimeout(() => resolve(true), heartbeat)
          wake = () => resolve(false)
        })
        clearTimeout(timer)
        if (quiet) yield ': still here\n\n'
      }
      yield event(last.event, last.data)
      if (last.file)
        for await (const chunk of last.file.bytes) yield event('file', Buffer.from(chunk).toString('base64'))
      yield event('end', {})
    } finally {
      over()
    }
  }

  const left = () => {
    leave()
    over()
  }
  return respond(toStream(encoded(stream()), left), 200, {
    ...headers,
    'Content-Type': 'text/event-stream',
    'X-Accel-Buffering': 'no',
  })
}

async function* encoded(texts: AsyncGenerator<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const text of texts) yield encoder.encode(text)
}
