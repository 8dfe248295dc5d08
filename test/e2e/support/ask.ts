import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Reply } from '../../../src/core/reply/reply.ts'

/** A Reply as it arrives over HTTP, with the status that came with it. */
export type Said<T = unknown> = Omit<Reply, 'file' | 'data'> & { data: T; status: number }

export type Asked = {
  method?: 'GET' | 'POST'
  token?: string | undefined
  body?: unknown
  headers?: Record<string, string>
}

/** One HTTP request, over TCP or DCM's own socket; the answer as it is. @throws the connection's error */
export function ask(
  where: { socket: string } | { url: string },
  path: string,
  { method = 'GET', token, body, headers = {} }: Asked = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> {
  const sent = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const address =
      'socket' in where
        ? { socketPath: where.socket }
        : { hostname: new URL(where.url).hostname, port: new URL(where.url).port }
    const outgoing = request(
      {
        ...address,
        method,
        path,
        agent: false,
        headers: {
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(sent === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
          ...headers,
        },
      },
      (answer) =>
        void text(answer).then(
          (all) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: all }),
          reject,
        ),
    )
    outgoing.on('error', reject)
    outgoing.end(sent)
  })
}
