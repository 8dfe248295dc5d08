import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { type EngineCall, type EngineProxy, startEngineProxy } from './engine.ts'

/** As much of an engine as these tests need: it counts what reached it, echoes, streams and lets itself be hijacked. */
async function startEngine() {
  const folder = await mkdtemp(join(tmpdir(), 'dcm-upstream-'))
  const reached: string[] = []
  let tick: ((line: string) => void) | undefined
  const server = createServer((message, reply) => {
    reached.push(`${message.method} ${message.url}`)
    if (message.url === '/v1.41/events') {
      reply.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      tick = (line) => reply.write(line)
      return
    }
    reply.writeHead(201, { 'content-type': 'text/plain', 'x-engine': 'yes' })
    message.pipe(reply)
  })
  server.on('upgrade', (message, socket, head) => {
    reached.push(`${message.method} ${message.url}`)
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
    socket.write(head)
    socket.pipe(socket)
  })
  await new Promise<void>((listening) => server.listen(join(folder, 'up.sock'), listening))
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })
  return { socket: join(folder, 'up.sock'), reached, tick: (line: string) => tick?.(line) }
}

type Said = { status: number; body: string; headers: IncomingMessage['headers'] }

function send(socket: string, method: string, path: string, body: Readable | string = '', type = 'application/json') {
  return new Promise<Said>((done, failed) => {
    const ask = request(
      { socketPath: socket, method, path, headers: { 'content-type': type }, agent: false },
      (said) => {
        text(said).then((all) => done({ status: said.statusCode ?? 0, body: all, headers: said.headers }), failed)
      },
    )
    ask.on('error', failed)
    if (typeof body === 'string') ask.end(body)
    else body.pipe(ask)
  })
}

let engine: Awaited<ReturnType<typeof startEngine>>
let proxy: EngineProxy
const heard: EngineCall[] = []

beforeEach(async () => {
  heard.length = 0
  engine = await startEngine()
  proxy = await startEngineProxy({ upstream: engine.socket, onCall: (call) => void heard.push(call) })
  onTestFinished(() => proxy.close())
})

const create = () => send(proxy.socket, 'POST', '/v1.41/containers/create?name=a', '{"Image":"x"}')

test('passes a call on unchanged and records it without the API version', async () => {
  const said = await create()
  expect(said).toMatchObject({ status: 201, body: '{"Image":"x"}', headers: { 'x-engine': 'yes' } })
  const call = {
    seq: 1,
    method: 'POST',
    path: '/containers/create',
    query: { name: 'a' },
    body: { Image: 'x' },
    status: 201,
  }
  expect(proxy.calls()).toEqual([call])
  expect(heard).toEqual([call])
  expect(proxy.calls({ method: 'GET' })).toEqual([])
  expect(proxy.calls({ path: '/containers/*' })).toHaveLength(1)
  expect(proxy.calls({ path: /^\/containers$/ })).toHaveLength(0)
})

test('passes a large build context and its answer through as a stream', async () => {
  const chunk = Buffer.alloc(1 << 20, 'x')
  const said = await send(
    proxy.socket,
    'POST',
    '/v1.41/build',
    Readable.from(Array(20).fill(chunk)),
    'application/x-tar',
  )
  expect(said.body).toHaveLength(20 << 20)
  expect(proxy.calls({ path: '/build' })[0]?.body).toBeUndefined()
})

test('passes events on as they happen', async () => {
  const ask = request({ socketPath: proxy.socket, path: '/v1.41/events' }).end()
  const [said] = (await once(ask, 'response')) as [IncomingMessage]
  engine.tick('{"status":"start"}\n')
  const [line] = (await once(said, 'data')) as [Buffer]
  expect(line.toString()).toBe('{"status":"start"}\n')
  const end = once(said, 'end')
  proxy.cut()
  await expect(end).rejects.toThrow(/aborted/)
})

test('passes a hijacked connection on in both directions, with what was sent before it was taken over', async () => {
  const socket = connect(proxy.socket)
  const body = '{"Detach":false}'
  const headers = `Host: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  socket.write(`POST /v1.41/exec/e/start HTTP/1.1\r\n${headers}\r\n\r\n${body}`)
  await once(socket, 'readable')
  socket.end('hello')
  const all = (await buffer(socket)).toString()
  expect(all).toMatch(/^HTTP\/1\.1 101 UPGRADED/)
  expect(all).toMatch(/hello$/)
  expect(proxy.calls()).toMatchObject([{ method: 'POST', path: '/exec/e/start', status: 101 }])
})

test('cuts before the engine hears of it, or after it has done it', async () => {
  proxy.rule({ path: '/containers/create', action: { type: 'reset' } })
  await expect(create()).rejects.toThrow(/socket hang up/)
  expect(engine.reached).toEqual([])
  proxy.clear()
  proxy.rule({ path: '/containers/create', action: { type: 'reset', where: 'after' } })
  await expect(create()).rejects.toThrow(/socket hang up/)
  expect(engine.reached).toHaveLength(1)
  expect(proxy.calls()[0]?.status).toBeUndefined()
  expect((await create()).status).toBe(201)
})

test('counts matching calls only, and breaks the nth and as many as asked', async () => {
  proxy.rule({ method: 'POST', path: '/containers/*', nth: 2, times: 2, action: { type: 'status', status: 409 } })
  const codes: number[] = []
  for (let round = 0; round < 4; round++) {
    await send(proxy.socket, 'GET', '/v1.41/info')
    codes.push((await create()).status)
  }
  expect(codes).toEqual([201, 409, 409, 201])
})

test('answers in the place of the engine, before or after it', async () => {
  proxy.rule({ action: { type: 'status', status: 500, body: { message: 'no space left on device' }, where: 'after' } })
  const said = await create()
  expect(said.status).toBe(500)
  expect(JSON.parse(said.body)).toEqual({ message: 'no space left on device' })
  expect(engine.reached).toHaveLength(1)
})

test('cuts an answer short', async () => {
  proxy.rule({ action: { type: 'truncate', bytes: 5 } })
  await expect(create()).rejects.toThrow(/aborted/)
  expect(engine.reached).toHaveLength(1)
})

test('leaves a caller without an answer until it gives up', async () => {
  proxy.rule({ action: { type: 'hang' } })
  const ask = request({ socketPath: proxy.socket, path: '/v1.41/info' }).end()
  ask.on('error', () => {})
  expect((await proxy.seen({ path: '/info' })).fault).toEqual({ type: 'hang' })
  expect((await send(proxy.socket, 'GET', '/v1.41/info')).status).toBe(201)
  expect(engine.reached).toHaveLength(1)
  ask.destroy()
})

test('delays, and then goes on', async () => {
  proxy.rule({ action: { type: 'delay', ms: 20 } })
  proxy.rule({ nth: 2, action: { type: 'delay', ms: 20, where: 'after' } })
  expect((await create()).body).toBe('{"Image":"x"}')
  expect((await create()).body).toBe('{"Image":"x"}')
})

test.for(['before', 'after'] as const)('kills a process %s the engine has worked', async (where) => {
  const victim = spawn('sleep', ['60'])
  const exit = once(victim, 'exit')
  proxy.rule({ action: { type: 'kill', pid: () => victim.pid ?? 0, where } })
  await expect(create()).rejects.toThrow(/socket hang up/)
  expect(await exit).toEqual([null, 'SIGKILL'])
  expect(engine.reached).toHaveLength(where === 'before' ? 0 : 1)
})

test('an engine that is not there is a cut connection', async () => {
  await using lonely = await startEngineProxy({ upstream: '/nowhere/docker.sock' })
  await expect(send(lonely.socket, 'GET', '/v1.41/info')).rejects.toThrow(/socket hang up/)
})
