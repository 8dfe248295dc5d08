import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { CipherAlgorithm } from 'ssh2'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { algorithms } from '../../../src/adapters/ssh/algorithms.ts'
import { createSshWorld, exec, type Pair, type SshWorld } from './setup.ts'

// Each opens connections of its own; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 })

let world: SshWorld
let ada: Pair
beforeAll(async () => {
  world = await createSshWorld()
  const made = await world.someone('ada')
  ada = made.key
  const reply = await world.say(made.person, 'create web --image debian')
  expect(reply.error, reply.text).toBeUndefined()
  world.host.fake.programs(async function* (_, input) {
    for await (const data of input) yield { stream: 'stdout', data }
    return 0
  })
})
afterAll(() => world[Symbol.asyncDispose]())

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

test.for(algorithms.cipher)(
  '%s: bytes come through whole, in small and large pieces, over two more key exchanges',
  async (cipher) => {
    const client = await world.login('ada+web', {
      privateKey: ada.private,
      algorithms: { cipher: [cipher as CipherAlgorithm] },
    })
    const channel = await exec(client, 'cat')
    const got: Buffer[] = []
    channel.on('data', (data: Buffer) => got.push(data))
    const closed = once(channel, 'close')
    const pieces = Array.from({ length: 60 }, (_, at) => randomBytes(1 + ((at * 7919) % 70_000)))
    for (const [at, piece] of pieces.entries()) {
      if (at === 20 || at === 40) {
        const again = once(client, 'handshake')
        ;(client as unknown as { _protocol: { rekey(): void } })._protocol.rekey()
        await again
      }
      await new Promise<void>((resolve) => channel.write(piece, () => resolve()))
    }
    channel.end()
    await closed
    expect(digest(Buffer.concat(got))).toBe(digest(Buffer.concat(pieces)))
    client.end()
  },
)

test.for<[string, readonly string[]]>([
  ['OpenSSH_9.9p2', algorithms.cipher.slice(0, 2)],
  ['PuTTY_Release_0.83', algorithms.cipher],
])('%s is offered what suits it best', async ([ident, offered]) => {
  const seen: string[] = []
  const client = await world.login('ada', {
    privateKey: ada.private,
    ident,
    debug: (line) => void seen.push(line),
  })
  client.end()
  const said = seen.find((line) => line.includes('(remote) C->S cipher'))
  expect(said).toContain(`(remote) C->S cipher: ${offered.join(',')}`)
  expect(said).toMatch(offered.includes('aes256-ctr') ? /ctr$/ : /gcm@openssh\.com$/)
})

test('a packet that was changed on its way ends the connection', async () => {
  const client = await world.login('ada+web', {
    privateKey: ada.private,
    algorithms: { cipher: ['aes128-gcm@openssh.com'] },
  })
  const channel = await exec(client, 'cat')
  channel.resume()
  const { _sock: socket } = client as unknown as { _sock: Socket }
  const write = socket.write.bind(socket) as (data: Buffer) => boolean
  socket.write = (data: Uint8Array | string) => {
    const changed = Buffer.from(data as Uint8Array)
    if (changed.length > 1000) changed[500] = changed[500]! ^ 1
    return write(changed)
  }
  const closed = once(client, 'close')
  channel.write(Buffer.alloc(5000))
  await closed
})
