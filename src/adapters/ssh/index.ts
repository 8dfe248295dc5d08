import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import ssh2 from 'ssh2'
import type { Door } from '../../core/door/door.ts'
import type { Log } from '../../core/model/log.ts'
import { algorithms } from './algorithms.ts'
import { type Live, serveConnection } from './connection.ts'
import { createGate, createPatience } from './gate.ts'
import { gather } from './gather.ts'
import { offer } from './offer.ts'
import { seal } from './seal.ts'

export type SshOptions = {
  door: Door
  log: Log
  /** The door's own private host key, in OpenSSH's format. */
  hostKey: string
  version: string
  /** Milliseconds that a connection has to log in. */
  grace: number
  tries: number
  waiting: number
  waitingFrom: number
  /** Milliseconds that a refusal of this address takes; what tests shorten. */
  patience?: (address: string) => number
}

/** An address that is held, before anybody is served. */
export type Listening = { host: string; port: number; server: Server }

export type SshDoor = {
  /** Takes no more, says goodbye at prompts, lets commands and what is open end for `patience` milliseconds at most. */
  close(patience: number): Promise<void>
}

/** Milliseconds between signs of life, and how many may stay unanswered. */
const keepalive = { keepaliveInterval: 30_000, keepaliveCountMax: 3 }

/** Takes the address, so that it is known whether it is free before anything tells others of it. @throws the socket's error */
export function listenSsh(address: { host: string; port: number }): Promise<Listening> {
  // Without noDelay a login takes seven times as long (Nagle's algorithm against delayed acknowledgements).
  const server = createServer({ noDelay: true, allowHalfOpen: false })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address.host, port: address.port, backlog: 512 }, () => {
      server.off('error', reject)
      resolve({ host: address.host, port: (server.address() as AddressInfo).port, server })
    })
  })
}

/** Opens the SSH door on an address that is held. */
export function serveSsh({ server }: Listening, options: SshOptions): SshDoor {
  const { log } = options
  const gate = createGate({ all: options.waiting, perAddress: options.waitingFrom })
  const patience = options.patience ?? createPatience()
  const live = new Map<Socket, Live | undefined>()
  let closing = false
  const deps = { ...options, patience }

  const protocol = new ssh2.Server({
    hostKeys: [options.hostKey],
    algorithms: algorithms as unknown as NonNullable<ssh2.ServerConfig['algorithms']>,
    ident: 'DCM',
    ...keepalive,
  })
  protocol.on('error', (error: Error) => log.warn({ err: error }, 'the SSH door has trouble'))
  const admitting = new Map<string, { socket: Socket; admitted: () => void }>()
  protocol.on('connection', (client, info) => {
    const one = admitting.get(`${info.ip} ${info.port}`)
    if (!one || closing) return void client.end()
    offer(client, info.header.versions.software)
    seal(client)
    live.set(one.socket, serveConnection(client, one.socket, info.ip ?? '', deps, one.admitted))
  })

  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? ''
    const id = `${address} ${socket.remotePort}`
    if (closing || address === '') return void socket.destroy()
    live.set(socket, undefined)
    const place = gate.enter(address, () => {
      log.debug({ address }, 'an SSH connection that had not logged in gave way to a newer one')
      socket.destroy()
    })
    const late = setTimeout(() => socket.destroy(), options.grace)
    const admitted = () => {
      clearTimeout(late)
      place.leave()
    }
    admitting.set(id, { socket, admitted })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      admitted()
      admitting.delete(id)
      live.delete(socket)
    })
    gather(socket)
    protocol.injectSocket(socket)
  })

  return {
    async close(ms) {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const end = performance.now() + ms
      const say = (busy: boolean) => {
        for (const [socket, one] of live)
          if (!one) socket.destroy()
          else if (busy || one.busy() === 0) one.leave('DCM is stopping; goodbye.')
      }
      say(false)
      while (performance.now() < end && [...live.values()].some((one) => one && one.busy() > 0)) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        say(false)
      }
      say(true)
      const cut = setTimeout(() => {
        for (const socket of live.keys()) socket.destroy()
      }, 1500)
      await closed
      clearTimeout(cut)
    },
  }
}
