import http from 'node:http'
import { text } from 'node:stream/consumers'

/** A keep-alive connection to something that speaks HTTP; what both sides of a comparison are asked through. */
export function createClient(
  where: { socketPath: string } | { host: string; port: number },
  headers: Record<string, string> = {},
) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  return {
    call(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
      return new Promise((resolve, reject) => {
        const payload = body === undefined ? undefined : JSON.stringify(body)
        const request = http.request(
          {
            ...where,
            agent,
            method,
            path,
            headers: {
              ...headers,
              ...(payload ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) } : {}),
            },
          },
          (answer) => {
            text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, text: said }), reject)
          },
        )
        request.on('error', reject)
        request.end(payload)
      })
    },
    close: () => agent.destroy(),
  }
}

export type Client = ReturnType<typeof createClient>

/** A call that has to succeed. @throws with the answer */
export async function must<T = unknown>(client: Client, method: string, path: string, body?: object): Promise<T> {
  const { status, text: said } = await client.call(method, path, body)
  if (status >= 400) throw new Error(`${method} ${path}: ${status} ${said}`)
  return (said === '' ? undefined : JSON.parse(said)) as T
}
