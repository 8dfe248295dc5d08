import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { Greeting } from '../net.ts'

type Try = { done: Greeting } | { again: string }

/** One connection: key exchange, host key, and the answer to the login method "none". */
async function once(host: string, port: number, fingerprint: string, left: number, signal?: AbortSignal): Promise<Try> {
  // Loaded when the first container is made: a service that only answers does without it.
  const { Client } = (await import('ssh2')).default
  return new Promise<Try>((resolve) => {
    const client = new Client()
    const socket: Socket = connect({ host, port, noDelay: true })
    let wrongKey = false
    const finish = (result: Try) => {
      clearTimeout(slow)
      signal?.removeEventListener('abort', abort)
      resolve(result)
      client.end()
      socket.destroy()
    }
    const slow = setTimeout(() => finish({ again: 'it did not answer in time' }), left)
    const abort = () => finish({ done: { ok: false, why: 'The wait was given up.' } })
    signal?.addEventListener('abort', abort, { once: true })
    socket.on('error', (error) =>
      finish({ again: `it cannot be reached (${'code' in error ? String(error.code) : error.message})` }),
    )
    socket.on('close', () => finish({ again: 'it closes the connection' }))
    client.on('error', (error) => {
      if (wrongKey) finish({ done: { ok: false, why: `On port ${port} something answers with another host key.` } })
      else finish({ again: `it does not speak SSH as expected (${error.message.slice(0, 100)})` })
    })
    client.on('close', () => finish({ again: 'it closes the connection' }))
    socket.once('connect', () =>
      client.connect({
        sock: socket,
        username: 'root',
        readyTimeout: 0,
        algorithms: { serverHostKey: ['ssh-ed25519'] },
        hostVerifier: (key: Buffer) => {
          const seen = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
          wrongKey = seen !== fingerprint
          return !wrongKey
        },
        authHandler: (methods, _partial, next) => {
          // RFC 4252 section 5.2: the first try is "none", whose refusal lists what the server takes.
          if (methods === null) return next({ type: 'none', username: 'root' })
          if ((methods as readonly string[]).includes('publickey')) finish({ done: { ok: true } })
          else finish({ done: { ok: false, why: `The SSH server on port ${port} does not take public keys.` } })
          return undefined
        },
      }),
    )
    client.on('ready', () => finish({ done: { ok: false, why: `The SSH server on port ${port} lets anybody in.` } }))
  })
}

/**
 * Waits until sshd answers as it should, for `deadline` milliseconds at most. The engine's proxy accepts before sshd
 * listens and then closes, so everything but another host key or a login without public keys is tried again at once.
 */
export async function greet(
  host: string,
  port: number,
  fingerprint: string,
  deadline: number,
  signal?: AbortSignal,
): Promise<Greeting> {
  const end = performance.now() + deadline
  let why = 'it did not answer in time'
  for (let wait = 5; ; wait = Math.min(wait * 1.5, 250)) {
    if (signal?.aborted) return { ok: false, why: 'The wait was given up.' }
    const left = end - performance.now()
    if (left <= 0) return { ok: false, why: `No SSH server came up on port ${port}: ${why}.` }
    const result = await once(host, port, fingerprint, Math.min(left, 5_000), signal)
    if ('done' in result) return result.done
    why = result.again
    await new Promise((resolve) => setTimeout(resolve, Math.min(wait, Math.max(0, end - performance.now()))))
  }
}
