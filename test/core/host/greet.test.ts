import { createServer, type Server } from 'node:net'
import ssh2 from 'ssh2'
import { afterEach, expect, test } from 'vitest'
import { greet } from '../../../src/core/host/docker/greet.ts'
import { createHostKey } from '../../../src/core/secret/keys.ts'

const key = createHostKey()
const servers: { close(): unknown }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const listen = async (server: {
  listen(port: number, host: string, ready: () => void): unknown
  address(): unknown
  close(): unknown
}) => {
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

/** An SSH server that answers the login method "none" in its own way. */
const sshServer = (answer: (context: ssh2.AuthContext) => void) =>
  new ssh2.Server({ hostKeys: [key.privateKey] }, (client) => {
    client.on('authentication', answer)
    client.on('error', () => undefined)
  })

test('key exchange with the right key, and public keys in the list, is all that is asked', async () => {
  const methods: string[] = []
  const port = await listen(
    sshServer((context) => {
      methods.push(context.method)
      context.reject(['publickey'])
    }),
  )
  expect(await greet('127.0.0.1', port, key.fingerprint, 10_000)).toEqual({ ok: true })
  expect(methods).toEqual(['none'])
})

test('another host key, a login for anybody, and one without public keys are said', async () => {
  const closed = await listen(sshServer((context) => context.reject(['password'])))
  expect(await greet('127.0.0.1', closed, createHostKey().fingerprint, 10_000)).toMatchObject({
    ok: false,
    why: expect.stringContaining('another host key'),
  })
  expect(await greet('127.0.0.1', closed, key.fingerprint, 10_000)).toMatchObject({
    ok: false,
    why: expect.stringContaining('public keys'),
  })
  const open = await listen(sshServer((context) => context.accept()))
  expect(await greet('127.0.0.1', open, key.fingerprint, 10_000)).toMatchObject({
    ok: false,
    why: expect.stringContaining('anybody'),
  })
})

test('what accepts and closes, as the engine does before sshd listens, is tried again until sshd answers', async () => {
  const inner = sshServer((context) => context.reject(['publickey']))
  const innerPort = await listen(inner)
  let connections = 0
  const proxy: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (++connections < 4) return void socket.destroy()
    inner.injectSocket(socket)
  })
  expect(innerPort).toBeGreaterThan(0)
  expect(await greet('127.0.0.1', await listen(proxy), key.fingerprint, 10_000)).toEqual({ ok: true })
  expect(connections).toBe(4)
})

test('what never speaks SSH is given up at the deadline, and at once when told', async () => {
  const port = await listen(
    createServer((socket) => void socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  )
  expect(await greet('127.0.0.1', port, key.fingerprint, 200)).toMatchObject({
    ok: false,
    why: expect.stringContaining(String(port)),
  })
  const silent = await listen(createServer((socket) => void socket.on('error', () => undefined)))
  const stop = new AbortController()
  const answer = greet('127.0.0.1', silent, key.fingerprint, 60_000, stop.signal)
  stop.abort()
  expect(await answer).toEqual({ ok: false, why: 'The wait was given up.' })
})
