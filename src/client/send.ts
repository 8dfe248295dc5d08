import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import type { Readable } from 'node:stream'
import type { Where } from './where.ts'

export type Sent = {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
  /** A tar, in the place of `body`, as it comes. */
  stream?: Readable
  /** Told when all of it has gone. */
  sent?: () => void
  headers?: Record<string, string>
  accept: string
  key?: string | undefined
  signal?: AbortSignal | undefined
  timeout?: number
}

/** Sends one request and resolves with the answer's head. @throws the connection's error, with its `code` */
export async function send(where: Where, sent: Sent): Promise<IncomingMessage> {
  const body = sent.body === undefined ? undefined : JSON.stringify(sent.body)
  const remote = 'url' in where ? where : undefined
  const options: RequestOptions = {
    method: sent.method,
    path: (remote?.url.pathname ?? '').replace(/\/$/, '') + sent.path,
    headers: {
      Host: remote?.url.host ?? 'dcm',
      Accept: sent.accept,
      ...(remote ? { Authorization: `Bearer ${remote.token}` } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
      ...(sent.stream ? { 'Content-Type': 'application/x-tar' } : {}),
      ...sent.headers,
      ...(sent.key ? { 'Idempotency-Key': sent.key } : {}),
    },
    agent: false,
    ...(sent.signal ? { signal: sent.signal } : {}),
    ...(remote
      ? { hostname: remote.url.hostname.replace(/^\[|\]$/g, ''), port: remote.url.port }
      : { socketPath: (where as { socket: string }).socket }),
  }
  // A local call never needs TLS, and loading it would be half of its time.
  const request = remote?.url.protocol === 'https:' ? (await import('node:https')).request : httpRequest
  return new Promise((resolve, reject) => {
    const outgoing = request(options, resolve)
    outgoing.on('error', reject)
    // A tar that cannot be read to its end must not look like one that has ended.
    sent.stream?.once('error', (error) => outgoing.destroy(error))
    // A heartbeat comes every 15 seconds; a link that is silent for longer is dead.
    outgoing.setTimeout(sent.timeout ?? 60_000, () =>
      outgoing.destroy(Object.assign(new Error('silent'), { code: 'ETIMEDOUT' })),
    )
    if (sent.stream) sent.stream.pipe(outgoing.once('finish', () => sent.sent?.()))
    else outgoing.end(body)
  })
}
