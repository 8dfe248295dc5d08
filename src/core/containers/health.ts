import type { Net } from '../host/net.ts'
import { HostError } from '../host/fault.ts'

/** How long a program may take until it answers, and each answer. */
const patience = 60_000
const each = 5000

/** Asks once over HTTP/1.0, of which the first line is all that is read (RFC 9112 section 4). @returns its status */
async function askOnce(net: Net, port: number, path: string, host: string): Promise<number | undefined> {
  const socket = await net.dial(port)
  const late = setTimeout(() => socket.destroy(), each)
  try {
    socket.write(`GET ${path} HTTP/1.0\r\nHost: ${host}\r\nUser-Agent: dcm-health\r\nAccept: */*\r\n\r\n`)
    let head = ''
    for await (const piece of socket as AsyncIterable<Buffer>) {
      head += piece.toString('latin1')
      if (head.includes('\n') || head.length > 1000) break
    }
    const status = /^HTTP\/\d\.\d (\d{3})/.exec(head)?.[1]
    return status === undefined ? undefined : Number(status)
  } finally {
    clearTimeout(late)
    socket.destroy()
  }
}

/**
 * Waits until a published port answers HTTP with a status from 200 to 399.
 * @returns undefined when it does, else what it answered last, in a few words
 */
export async function healthy(
  works: { sleep(ms: number): Promise<void> },
  net: Net,
  port: number,
  path: string,
  host: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const began = performance.now()
  let last = 'nothing answered'
  for (let tries = 0; tries < 600 && performance.now() - began < patience && !signal.aborted; tries++) {
    try {
      const status = await askOnce(net, port, path, host)
      if (status !== undefined && status >= 200 && status < 400) return undefined
      last = status === undefined ? 'what answered was not HTTP' : `it answered ${status}`
    } catch (error) {
      if (error instanceof HostError && error.fault !== 'down') throw error
      last = 'nothing answered'
    }
    await works.sleep(Math.min(1000, 100 * 2 ** tries))
  }
  return last
}
