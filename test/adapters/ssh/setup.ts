import { once } from 'node:events'
import ssh2, { type Client, type ClientChannel, type ConnectConfig, type PseudoTtyOptions } from 'ssh2'
import { expect } from 'vitest'
import { listenSsh, serveSsh, type SshOptions } from '../../../src/adapters/ssh/index.ts'
import type { Log } from '../../../src/core/model/log.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { createHostKey } from '../../../src/core/secret/keys.ts'
import { createWorld, type World } from '../../core/door/world.ts'
import { until } from '../../setup/until.ts'

/** A key pair as ssh-keygen writes it; ssh2's own maker leaves out a zero in front, which one key in 256 has. */
export type Pair = { private: string; public: string }
export function makeKey(): Pair {
  const { privateKey, publicKey } = createHostKey()
  return { private: privateKey, public: publicKey }
}

export type Ran = { code: number | undefined; out: string; err: string }

/** The real core and the SSH door before it, over a fake host. */
export type SshWorld = World & {
  port: number
  hostKey: string
  /** A member with a key of their own. */
  someone(name: string): Promise<{ person: Person; key: Pair }>
  /** Logs in. @throws with the client's words when it is refused */
  login(name: string, how: Pair | Partial<ConnectConfig>): Promise<Client>
  /** One command on a connection of its own. */
  ssh(name: string, key: Pair, command: string, options?: { input?: string; pty?: PseudoTtyOptions }): Promise<Ran>
  /** Closes the door as SIGTERM does. */
  close(patience: number): Promise<void>
}

const quiet = () => undefined
export const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

/** Collects what a channel gives until it closes. */
export async function collect(channel: ClientChannel): Promise<Ran> {
  const parts = { out: [] as Buffer[], err: [] as Buffer[] }
  channel.on('data', (data: Buffer) => parts.out.push(data))
  channel.stderr.on('data', (data: Buffer) => parts.err.push(data))
  const [code] = (await once(channel, 'close')) as [number | undefined]
  return { code, out: Buffer.concat(parts.out).toString(), err: Buffer.concat(parts.err).toString() }
}

export const exec = (
  client: Client,
  command: string,
  options: { pty?: PseudoTtyOptions; env?: NodeJS.ProcessEnv } = {},
) =>
  new Promise<ClientChannel>((resolve, reject) => {
    client.exec(command, options, (error, channel) => (error ? reject(error) : resolve(channel)))
  })

export const shell = (client: Client, pty: PseudoTtyOptions | false = { term: 'xterm', cols: 80, rows: 24 }) =>
  new Promise<ClientChannel>((resolve, reject) => {
    client.shell(pty, (error, channel) => (error ? reject(error) : resolve(channel)))
  })

export const forward = (client: Client, host: string, port: number) =>
  new Promise<ClientChannel>((resolve, reject) => {
    client.forwardOut('127.0.0.1', 1, host, port, (error, channel) => (error ? reject(error) : resolve(channel)))
  })

/** Reads a terminal until a text has come. @returns all up to its end; what comes behind it is for the next call */
export function reader(channel: ClientChannel) {
  let text = ''
  channel.on('data', (data: Buffer) => (text += data.toString()))
  return async (wanted: string | RegExp): Promise<string> => {
    const found = () => {
      const at = typeof wanted === 'string' ? text.indexOf(wanted) : text.search(wanted)
      return at < 0 ? -1 : at + (typeof wanted === 'string' ? wanted : wanted.exec(text)![0]).length
    }
    await until(`the terminal to show ${String(wanted)}`, () => found() >= 0).catch((cause: unknown) => {
      throw new Error(`The terminal shows ${JSON.stringify(text.slice(-600))}`, { cause })
    })
    const end = found()
    const seen = text.slice(0, end)
    text = text.slice(end)
    return seen
  }
}

export async function createSshWorld(options: Partial<SshOptions> = {}): Promise<SshWorld> {
  const world = await createWorld()
  const key = createHostKey()
  const held = await listenSsh({ host: '127.0.0.1', port: 0 })
  const limits = { grace: 10_000, tries: 10, waiting: 100, waitingFrom: 50, patience: () => 5 }
  const served = serveSsh(held, {
    door: world.door,
    log,
    hostKey: key.privateKey,
    version: '1.2.3',
    ...limits,
    ...options,
  })
  const clients = new Set<Client>()

  const login: SshWorld['login'] = async (name, how) => {
    const client = new ssh2.Client()
    clients.add(client)
    const config = 'private' in how ? { privateKey: how.private } : how
    const ready = new Promise<void>((resolve, reject) => {
      client.on('ready', resolve)
      client.on('error', reject)
      client.on('close', () => reject(new Error('closed')))
    })
    client.connect({ host: '127.0.0.1', port: held.port, username: name, readyTimeout: 15_000, ...config })
    await ready
    client.on('error', quiet)
    return client
  }

  return Object.assign(world, {
    port: held.port,
    hostKey: key.publicKey,
    async someone(name: string) {
      const person = await world.member(name)
      const pair = makeKey()
      const reply = await world.say(world.admin, `key add "${pair.public}" --as ${name}`)
      expect(reply.error, reply.text).toBeUndefined()
      return { person, key: pair }
    },
    login,
    async ssh(
      name: string,
      pair: Pair,
      command: string,
      { input, pty }: { input?: string; pty?: PseudoTtyOptions } = {},
    ) {
      const client = await login(name, pair)
      try {
        const channel = await exec(client, command, pty ? { pty } : {})
        const ran = collect(channel)
        channel.end(input)
        return await ran
      } finally {
        client.end()
      }
    },
    close: (patience: number) => served.close(patience),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy()
      await served.close(0)
      await world.runner.stop(1000)
      await world.store.close()
    },
  })
}
