import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import type { Where } from './where.ts'

export type Sent = {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
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
    // A heartbeat comes every 15 seconds; a link that is silent for longer is dead.
    outgoing.setTimeout(sent.timeout ?? 60_000, () =>
      outgoing.destroy(Object.assign(new Error('silent'), { code: 'ETIMEDOUT' })),
    )
    outgoing.end(body)
  })
}
