import { chmod, lstat, rename, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type ListenOptions } from 'node:net'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { DcmError } from '../../core/reply/error.ts'
import type { Log } from '../../core/model/log.ts'
import type { Http } from './app.ts'
import type { Origin } from './turn.ts'

const mostHeaders = 100

/** How slow a sender may be, in milliseconds, and how large its head: a caller is a program on the same network, or a proxy. */
const patience: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
  maxHeaderSize: 16 * 1024,
}

export type ServeOptions = {
  http: Http
  log: Log
  host: string
  /** 0: any free one. */
  port: number
  /** The local socket; none when absent. */
  socket?: string
  /** Leaves TCP closed: another process answers there. */
  onlyLocal?: boolean
  /** What tests shorten. */
  patience?: ServerOptions
}

export type Served = {
  host: string
  port: number
  /** Takes no more, lets what is under way end for `patience` milliseconds at most, then cuts it. */
  close(patience: number): Promise<void>
}

/** An answer where there is no request to answer yet. */
function answer(status: number, words: string, sentence: string): string {
  const body = JSON.stringify({ text: sentence, tone: 'error', error: 'usage' })
  return `HTTP/1.1 ${status} ${words}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function refuseEarly(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    socket.end(answer(408, 'Request Timeout', 'The request took too long to arrive.'))
  else if (error.code === 'HPE_HEADER_OVERFLOW')
    socket.end(answer(431, 'Request Header Fields Too Large', 'The headers are too large.'))
  else socket.end(answer(400, 'Bad Request', 'That is not an HTTP request that DCM can read.'))
}

/** A body that is too slow in coming. */
function late(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.socket.destroyed) return
  incoming.socket.end(answer(408, 'Request Timeout', 'The request took too long to arrive.'))
  incoming.destroy()
}

function serverFor(http: Http, origin: (incoming: IncomingMessage) => Origin, options: ServerOptions): Server {
  const patience = options.requestTimeout ?? 0
  const listener = getRequestListener((request, env) => {
    const incoming = env.incoming as IncomingMessage
    const slow = setTimeout(() => late(incoming), patience)
    incoming.once('close', () => clearTimeout(slow))
    return http.fetch(request, { ...origin(incoming), patient: () => clearTimeout(slow) })
  })
  // Node's own bound is for all requests alike; this one can be lifted for an upload, whose reader has its own.
  const server = createServer(
    { ...options, requestTimeout: 0 },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      // Node would silently leave out those past a count; here they are refused.
      if (incoming.rawHeaders.length > mostHeaders * 2)
        incoming.socket.end(
          answer(431, 'Request Header Fields Too Large', `More than ${mostHeaders} headers are not taken.`),
        )
      else void listener(incoming, outgoing)
    },
  )
  server.maxHeadersCount = 0
  server.on('clientError', refuseEarly)
  return server
}

const listen = (server: Server, where: ListenOptions) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })

/** Whether someone answers on a socket that is there. */
const answers = (path: string) =>
  new Promise<boolean>((resolve) => {
    const probe = connect({ path, timeout: 2000 })
    const end = (alive: boolean) => {
      probe.destroy()
      resolve(alive)
    }
    probe.once('connect', () => end(true)).once('timeout', () => end(true))
    probe.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'EAGAIN' || error.code === 'EACCES'))
  })

/**
 * Listens on the local socket. It is bound under another name, closed to all but its owner, and only then put in place,
 * so that there is no moment in which others could connect; the name of one that a killed process left is taken over.
 */
async function listenLocally(server: Server, path: string): Promise<() => Promise<void>> {
  const hidden = join(dirname(path), `.s${process.pid}`)
  // sun_path is 108 bytes with its NUL (unix(7)); the kernel would cut it.
  if (Buffer.byteLength(hidden) > 107 || Buffer.byteLength(path) > 107)
    throw new DcmError(
      'usage',
      'The path of the data folder is too long for a socket in it; set DCM_DATA_DIR to a shorter one.',
    )
  const there = await lstat(path).catch(() => undefined)
  if (there && !there.isSocket())
    throw new DcmError('conflict', `${path} is in the way and is not a socket; move it away.`)
  if (there && (await answers(path))) throw new DcmError('conflict', 'Another DCM already answers on this data folder.')
  await rm(hidden, { force: true })
  // Bound within this very call (net.Server binds a path at once), so the mask changes nothing for anyone else.
  const mask = process.umask(0o177)
  const listening = listen(server, { path: hidden })
  process.umask(mask)
  await listening
  await chmod(hidden, 0o600)
  const mine = await lstat(hidden)
  await rename(hidden, path)
  return async () => {
    const now = await lstat(path).catch(() => undefined)
    if (now?.ino === mine.ino) await rm(path, { force: true })
  }
}

/** Ends a server: those who wait have been told to answer, and get `patience` milliseconds for it. */
async function end(server: Server, patience: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const cut = setTimeout(() => server.closeAllConnections(), patience)
  // A connection that has just answered is idle only a moment later.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  await closed
  clearTimeout(cut)
  clearInterval(idle)
}

/** Serves the app on TCP and on the local socket. @throws DcmError when an address is taken */
export async function serveHttp(options: ServeOptions): Promise<Served> {
  const { http, log } = options
  const slow = { ...patience, ...options.patience }
  const tcp = serverFor(http, (incoming) => ({ address: incoming.socket.remoteAddress }), slow)
  const local = serverFor(http, () => ({ local: true }), slow)
  let unlink = async () => {}
  try {
    if (!options.onlyLocal) await listen(tcp, { host: options.host, port: options.port })
    if (options.socket) unlink = await listenLocally(local, options.socket)
  } catch (error) {
    tcp.close()
    local.close()
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new DcmError(
        'conflict',
        `Port ${options.port} of ${options.host} is taken; set DCM_HTTP_ADDR to another.`,
        { cause: error },
      )
    if (code === 'EADDRNOTAVAIL')
      throw new DcmError('usage', `${options.host} is not an address of this machine; set DCM_HTTP_ADDR to one.`, {
        cause: error,
      })
    throw error
  }
  const { port } = (tcp.address() as AddressInfo | null) ?? options
  log.info(
    { ...(options.onlyLocal ? {} : { host: options.host, port }), local: options.socket !== undefined },
    'listening',
  )
  return {
    host: options.host,
    port,
    async close(patience) {
      http.stop()
      await unlink()
      await Promise.all([
        ...(options.onlyLocal ? [] : [end(tcp, patience)]),
        ...(options.socket ? [end(local, patience)] : []),
      ])
    },
  }
}
