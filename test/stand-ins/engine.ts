import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What goes wrong with one call. `before`: the engine never hears of it; `after`: the engine has done it and its answer
 * is lost on the way, which is what a client must be able to live with (the answer is awaited to its end, so a stream
 * that never ends never gets there). `before` when absent.
 */
export type Fault =
  | { type: 'delay'; ms: number; where?: Where }
  /** The connection is cut. */
  | { type: 'reset'; where?: Where }
  /** An answer that is not the engine's. */
  | { type: 'status'; status: number; body?: unknown; where?: Where }
  /** No answer, ever, on an open connection. */
  | { type: 'hang'; where?: Where }
  /** The engine's answer, cut after so many bytes of its body. */
  | { type: 'truncate'; bytes: number }
  /** Another process is killed, and the connection is cut. */
  | { type: 'kill'; pid: number | (() => number); signal?: NodeJS.Signals; where?: Where }

type Where = 'before' | 'after'

/** A call to the engine. `path` is without the API's version; `body` is what JSON was sent, if any. */
export type EngineCall = {
  seq: number
  method: string
  path: string
  query: Record<string, string>
  body: unknown
  /** What the caller was answered; absent while there is no answer, and when there was none. */
  status?: number
  fault?: Fault
}

/** Which calls: all when empty. In a path, `*` stands for one part of it: `/containers/*` is any one container. */
export type Match = { method?: string; path?: string | RegExp }

/** The `nth` matching call (from 1; the first when absent), and `times` in a row (1 when absent), meet the fault. */
export type Rule = Match & { nth?: number; times?: number; action: Fault }

/** A Docker Engine's socket, as a caller sees it through one that records and that can fail. */
export type EngineProxy = AsyncDisposable & {
  /** The path of the proxy's own socket; for `DOCKER_HOST`, with `unix://` before it. */
  socket: string
  /** Every call until now, oldest first; those that match, where a match is given. */
  calls(match?: Match): EngineCall[]
  /** Resolves when a call that matches arrives, or at once when one has arrived since `clear`. */
  seen(match: Match): Promise<EngineCall>
  rule(rule: Rule): void
  /** Forgets rules and calls. */
  clear(): void
  /** Cuts every open connection, as when the engine dies. */
  cut(): void
  close(): Promise<void>
}

const matches = (call: EngineCall, { method, path }: Match): boolean => {
  if (method !== undefined && method !== call.method) return false
  if (path === undefined) return true
  if (path instanceof RegExp) return path.test(call.path)
  const parts = path.split('/')
  const given = call.path.split('/')
  return parts.length === given.length && parts.every((part, at) => part === '*' || part === given[at])
}

const parse = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

const isJson = (message: IncomingMessage) => (message.headers['content-type'] ?? '').startsWith('application/json')

/**
 * Puts a socket in front of a Docker Engine's that records each call and breaks those that a rule names.
 * @param options `upstream`: the engine's socket; `onCall`: awaited for each call before it goes on
 */
export async function startEngineProxy(options: {
  upstream?: string
  onCall?: (call: EngineCall) => void | Promise<void>
}): Promise<EngineProxy> {
  const upstream = options.upstream ?? '/var/run/docker.sock'
  const folder = await mkdtemp(join(tmpdir(), 'dcm-engine-'))
  const socket = join(folder, 'docker.sock')
  const open = new Set<Duplex>()
  let calls: EngineCall[] = []
  let rules: { rule: Rule; met: number }[] = []
  let waiting: { match: Match; found: (call: EngineCall) => void }[] = []
  let count = 0

  const record = (message: IncomingMessage, body: unknown): EngineCall => {
    const url = new URL(message.url ?? '/', 'http://engine')
    const call: EngineCall = {
      seq: ++count,
      method: message.method ?? 'GET',
      path: url.pathname.replace(/^\/v\d+\.\d+(?=\/)/, ''),
      query: Object.fromEntries(url.searchParams),
      body,
    }
    for (const entry of rules) {
      if (!matches(call, entry.rule)) continue
      const first = entry.rule.nth ?? 1
      entry.met += 1
      if (entry.met >= first && entry.met < first + (entry.rule.times ?? 1)) call.fault ??= entry.rule.action
    }
    calls.push(call)
    for (const { found } of waiting.filter((one) => matches(call, one.match))) found(call)
    waiting = waiting.filter((one) => !matches(call, one.match))
    return call
  }

  /** Carries a fault out, at the place where it belongs. @returns whether the call goes on */
  const meet = async (call: EngineCall, where: Where, cut: () => void, answer: Answer): Promise<boolean> => {
    const fault = call.fault
    if (!fault || fault.type === 'truncate' || (fault.where ?? 'before') !== where) return true
    switch (fault.type) {
      case 'delay':
        await sleep(fault.ms)
        return true
      case 'hang':
        return false
      case 'status':
        call.status = fault.status
        answer(fault.status, JSON.stringify(fault.body ?? { message: 'injected fault' }))
        return false
      case 'kill':
        process.kill(typeof fault.pid === 'number' ? fault.pid : fault.pid(), fault.signal ?? 'SIGKILL')
        cut()
        return false
      case 'reset':
        cut()
        return false
    }
  }

  const pass = async (message: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const cut = () => message.socket.destroy()
    const answer: Answer = (status, body) => {
      message.resume()
      reply.writeHead(status, { 'content-type': 'application/json' }).end(body)
    }
    // A build's context and a load's archive are passed on as they come; what the engine is asked in JSON is small.
    const json = isJson(message) ? await buffer(message) : undefined
    const call = record(message, json && parse(json))
    await options.onCall?.(call)
    if (!(await meet(call, 'before', cut, answer))) return

    const ask = request({
      socketPath: upstream,
      method: message.method,
      path: message.url,
      headers: message.headers,
      agent: false,
    })
    reply.on('close', () => ask.destroy())
    ask.on('error', cut)
    ask.on('response', (said: IncomingMessage) => void deliver(call, said, reply, cut, answer).catch(cut))
    if (json) ask.end(json)
    else message.pipe(ask)
  }

  const deliver = async (
    call: EngineCall,
    said: IncomingMessage,
    reply: ServerResponse,
    cut: () => void,
    answer: Answer,
  ): Promise<void> => {
    const fault = call.fault
    if (fault && fault.type !== 'truncate' && fault.where === 'after') {
      const body = await buffer(said)
      if (!(await meet(call, 'after', cut, answer))) return
      call.status = said.statusCode ?? 0
      reply.writeHead(call.status, said.headers).end(body)
      return
    }
    call.status = said.statusCode ?? 0
    reply.writeHead(call.status, said.headers)
    reply.flushHeaders()
    said.on('error', cut)
    if (fault?.type !== 'truncate') {
      said.pipe(reply)
      return
    }
    let left = fault.bytes
    for await (const chunk of said as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, left)
      left -= part.length
      if (part.length > 0) await new Promise((done) => reply.write(part, done))
      if (left === 0) break
    }
    cut()
  }

  /** Exec and attach take the connection over: https://docs.docker.com/reference/api/engine/ (ContainerAttach). */
  const hijack = async (message: IncomingMessage, caller: Duplex, head: Buffer): Promise<void> => {
    const length = Number(message.headers['content-length'] ?? 0)
    const call = record(message, isJson(message) ? parse(head.subarray(0, length)) : undefined)
    const cut = () => void caller.destroy()
    const answer: Answer = (status, body) => {
      const lines = `HTTP/1.1 ${status} Injected\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`
      caller.end(`${lines}\r\nConnection: close\r\n\r\n${body}`)
    }
    await options.onCall?.(call)
    if (!(await meet(call, 'before', cut, answer))) return

    const engine = connect(upstream)
    for (const [one, other] of [
      [engine, caller],
      [caller, engine],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
    const { rawHeaders } = message
    let lines = `${message.method} ${message.url} HTTP/1.1\r\n`
    for (let at = 0; at < rawHeaders.length; at += 2) lines += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`
    engine.write(`${lines}\r\n`)
    if (head.length > 0) engine.write(head)
    caller.pipe(engine)
    engine.once('data', (first: Buffer) => {
      engine.pause()
      const deliverRest = async () => {
        if (!(await meet(call, 'after', cut, answer))) return
        call.status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first.toString('latin1'))?.[1] ?? 0)
        caller.write(first)
        engine.pipe(caller)
      }
      deliverRest().catch(cut)
    })
  }

  const server = createServer((message, reply) => void pass(message, reply).catch(() => message.socket.destroy()))
  server.on('upgrade', (message: IncomingMessage, caller: Duplex, head: Buffer) => {
    hijack(message, caller, head).catch(() => caller.destroy())
  })
  server.on('connection', (caller: Socket) => {
    open.add(caller)
    caller.on('error', () => {})
    caller.on('close', () => open.delete(caller))
  })
  // Long builds, event streams and hangs are the callers' business.
  server.requestTimeout = 0
  server.headersTimeout = 0
  await new Promise<void>((listening, failed) => {
    server.on('error', failed)
    server.listen(socket, listening)
  })

  const cut = () => {
    for (const caller of open) caller.destroy()
  }
  const close = async () => {
    cut()
    await new Promise((closed) => server.close(closed))
    await rm(folder, { recursive: true, force: true })
  }
  return {
    socket,
    calls: (match = {}) => calls.filter((call) => matches(call, match)),
    seen: (match) => {
      const call = calls.find((one) => matches(one, match))
      return call ? Promise.resolve(call) : new Promise((found) => waiting.push({ match, found }))
    },
    rule: (rule) => void rules.push({ rule, met: 0 }),
    clear: () => {
      rules = []
      calls = []
    },
    cut,
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Answer = (status: number, body: string) => void
