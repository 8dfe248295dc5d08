import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createSshWorld, makeKey, type Pair, reader, shell, type SshWorld } from './setup.ts'

// Each opens connections of its own; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 })

let world: SshWorld
let ada: Pair
beforeAll(async () => {
  world = await createSshWorld({ grace: 1500, waiting: 60, waitingFrom: 40 })
  ada = (await world.someone('ada')).key
})
afterAll(() => world[Symbol.asyncDispose]())

const dial = async (): Promise<Socket> => {
  const socket = connect(world.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}
const alive = async () =>
  expect(await world.ssh('ada', ada, 'whoami')).toMatchObject({ code: 0, out: expect.stringContaining('You are ada') })

test('F07: 200 connections that never log in, and a slow one, keep nobody out, and are let go', async () => {
  const sockets = await Promise.all(Array.from({ length: 200 }, dial))
  const slow = await dial()
  let at = 0
  const drip = setInterval(() => slow.write('SSH-2.0-slow\r\n'[at++ % 14]!), 100)
  await alive()
  const ended = async (socket: Socket) => {
    socket.resume()
    if (!socket.destroyed) await once(socket, 'close')
  }
  await Promise.all([...sockets, slow].map(ended))
  clearInterval(drip)
  await alive()
})

test('F07: a thousand failed logins and fifty idle sessions keep nobody out', async () => {
  const idle = []
  for (let at = 0; at < 5; at++) {
    const { key } = await world.someone(`idle${at}`)
    idle.push(...(await Promise.all(Array.from({ length: 10 }, () => world.login(`idle${at}`, key)))))
  }
  const wrong = makeKey()
  const guess = { type: 'publickey' as const, username: 'ada', key: wrong.private }
  let failed = 0
  const flood = Promise.all(
    Array.from({ length: 20 }, async () => {
      for (let n = 0; n < 5; n++)
        await world.login('ada', { authHandler: Array.from({ length: 10 }, () => guess) }).catch(() => (failed += 10))
    }),
  )
  await alive()
  await flood
  expect(failed).toBe(1000)
  await alive()
  for (const one of idle) one.end()
}, 120_000)

test('random bytes, before the handshake and after its first line, end only their own connection', async () => {
  const heads = ['', 'SSH-2.0-x\r\n', 'SSH-1.5-x\r\n', 'GET / HTTP/1.1\r\n\r\n', `${'A'.repeat(300)}\r\n`]
  const until = performance.now() + 2000
  let sent = 0
  while (performance.now() < until) {
    await Promise.all(
      heads.map(async (head) => {
        const socket = await dial()
        socket.resume()
        const closed = once(socket, 'close')
        socket.write(head)
        socket.end(randomBytes(1 + Math.floor(Math.random() * 4000)))
        await closed
        sent++
      }),
    )
  }
  expect(sent).toBeGreaterThan(20)
  await alive()
})

test('a client that breaks off in the middle of its messages harms nobody', async () => {
  for (let n = 0; n < 20; n++) {
    const client = await world.login('ada', ada)
    const socket = (client as unknown as { _sock: Socket })._sock
    const channel = await shell(client)
    channel.on('error', () => undefined)
    channel.write('ps\r')
    // Bytes of no message: the door's cipher refuses them.
    const closed = once(client, 'close')
    if (n % 2 === 0) socket.write(randomBytes(500))
    else socket.destroy()
    await closed
  }
  await alive()
})

test('SIGTERM’s way: goodbye at the prompt, commands end first, then nobody is let in', async () => {
  const other = await createSshWorld()
  const { key } = await other.someone('ada')
  const client = await other.login('ada', key)
  const shown = reader(await shell(client))
  await shown('dcm> ')
  const closed = other.close(5000)
  await shown('goodbye')
  await closed
  await expect(other.login('ada', key)).rejects.toThrow()
  await other[Symbol.asyncDispose]()
})
