import type { App, Receiver, ReceiverEvent } from '@slack/bolt'
import type { Log } from '../../core/model/log.ts'
import { createSeen, isSigned } from './verify.ts'

const mostBody = 1024 * 1024
/** Slack gives up after 3 s. */
const patience = 2500

const answer = (status: number, body = '', type = 'text/plain; charset=utf-8') =>
  new Response(body, {
    status,
    headers: { 'Cache-Control': 'no-store', 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' },
  })

async function readText(request: Request): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > mostBody) return undefined
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > mostBody) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Reads what Slack posts: a form for commands and interactivity, JSON for events. */
function parse(type: string, text: string): Record<string, unknown> | undefined {
  try {
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(type)
    if (!isForm && !/^application\/json\b/i.test(type)) return undefined
    const form = isForm ? Object.fromEntries(new URLSearchParams(text)) : undefined
    const body: unknown = form
      ? typeof form['payload'] === 'string'
        ? JSON.parse(form['payload'])
        : form
      : JSON.parse(text)
    return typeof body === 'object' && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Bolt's own way to be handed requests, for a server that speaks `fetch`: one port, no second HTTP stack. */
export type FetchReceiver = Receiver & { fetch(request: Request): Promise<Response> }

/** Makes the receiver of signed requests. What is not Slack's gets 401 and is not looked at. */
export function createReceiver(options: { signingSecret: string; log: Log; now?: () => number }): FetchReceiver {
  const { signingSecret, log, now = Date.now } = options
  const seen = createSeen(now)
  let app: App | undefined

  async function take(body: Record<string, unknown>, headers: Headers): Promise<Response> {
    const { promise, resolve } = Promise.withResolvers<Response>()
    const retry = headers.get('x-slack-retry-num')
    const reason = headers.get('x-slack-retry-reason')
    const event: ReceiverEvent = {
      body,
      async ack(response?: unknown) {
        resolve(
          response === undefined || response === ''
            ? answer(200)
            : typeof response === 'string'
              ? answer(200, response)
              : answer(200, JSON.stringify(response), 'application/json; charset=utf-8'),
        )
      },
      ...(retry === null ? {} : { retryNum: Number(retry) || 0 }),
      ...(reason === null ? {} : { retryReason: reason }),
    }
    const late = setTimeout(() => resolve(answer(200)), patience)
    app!
      .processEvent(event)
      // A payload of a kind that nobody listens to is taken and forgotten: Slack must not repeat it.
      .then(() => resolve(answer(200)))
      .catch((err: unknown) => {
        log.warn({ err }, 'a request of Slack could not be handled')
        resolve(answer(200))
      })
    return promise.finally(() => clearTimeout(late))
  }

  return {
    init: (bolt) => void (app = bolt),
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    async fetch(request) {
      if (request.method !== 'POST') return answer(405, 'POST only.')
      const encoding = request.headers.get('content-encoding')
      if (encoding && encoding !== 'identity') return answer(415, 'No compressed bodies.')
      const text = await readText(request).catch(() => undefined)
      if (text === undefined) return answer(413, 'Too large.')
      const type = request.headers.get('content-type') ?? ''
      // Slack's own check of the certificate comes unsigned; whatever else it carries is not looked at.
      if (/^application\/x-www-form-urlencoded\b/i.test(type) && /(?:^|&)ssl_check=1(?:&|$)/.test(text))
        return answer(200)
      if (!isSigned(signingSecret, request.headers, text, now())) return answer(401, 'Not signed by Slack.')
      // Slack repeats with a retry header; the very same without one is somebody else's repeat.
      if (seen(request.headers.get('x-slack-signature')!) && !request.headers.has('x-slack-retry-num'))
        return answer(401, 'Seen before.')
      const body = parse(type, text)
      if (!body) return answer(400, 'Not understood.')
      if (body['type'] === 'url_verification')
        return answer(
          200,
          JSON.stringify({ challenge: typeof body['challenge'] === 'string' ? body['challenge'] : '' }),
          'application/json',
        )
      return take(body, request.headers)
    },
  }
}
