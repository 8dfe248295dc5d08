import { createHttp, type HttpOptions, type Origin } from '../../../src/adapters/http/index.ts'
import { createLog } from '../../../src/log.ts'
import { createStandInDoor } from '../../stand-ins/door.ts'

/** What is sent: `as` is a member whose token goes with it; `body` is sent as JSON unless it is text. */
export type Sent = {
  method?: string
  path: string
  as?: 'ann' | 'bob' | 'nobody'
  headers?: Record<string, string>
  body?: unknown
  origin?: Origin
}

/** The app over a stand-in door, its log in `lines`. */
export function createApp(options: Partial<HttpOptions> = {}) {
  const stand = createStandInDoor()
  const lines: string[] = []
  const log = createLog({ level: 'debug', write: (line) => lines.push(line) })
  const http = createHttp({ door: stand.door, log, version: '1.2.3', publicUrl: 'http://127.0.0.1:8787', ...options })

  function send({ method, path, as, headers, body, origin }: Sent): Response | Promise<Response> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const request = new Request(`http://127.0.0.1:8787${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(as && as !== 'nobody' ? { authorization: `Bearer ${as}-token` } : {}),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    })
    return http.fetch(request, origin ?? { address: '192.0.2.7' })
  }

  /** Sends and reads the JSON of the answer. */
  async function ask(sent: Sent): Promise<{ response: Response; text: string; json: Record<string, unknown> }> {
    const response = await send(sent)
    const text = await response.text()
    return { response, text, json: (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown> }
  }
  return { ...stand, http, lines, send, ask }
}

/** Reads server-sent events to their end. */
export async function readEvents(response: Response): Promise<{ event: string; data: unknown }[]> {
  return (await response.text())
    .split('\n\n')
    .filter((block) => block.startsWith('event: '))
    .map((block) => {
      const [event, data] = block.split('\n') as [string, string]
      return { event: event.slice('event: '.length), data: JSON.parse(data.slice('data: '.length)) as unknown }
    })
}
