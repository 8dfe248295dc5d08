import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHttp, type HttpOptions, serveHttp, type ServeOptions } from '../../../src/adapters/http/index.ts'
import { createLog } from '../../../src/log.ts'
import { createStandInDoor } from '../../stand-ins/door.ts'
import { until } from '../../setup/until.ts'

let folder: string
let ends: (() => Promise<unknown>)[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcm-serve-'))
  ends = [() => rm(folder, { recursive: true })]
})
afterEach(async () => {
  for (const end of ends.reverse()) await end()
})

async function serve(options: Partial<ServeOptions> = {}, app: Partial<HttpOptions> = {}) {
  const stand = createStandInDoor()
  const log = createLog({ level: 'silent' })
  const http = createHttp({ door: stand.door, log, version: '1', ...app })
  const socket = join(folder, 'dcm.sock')
  const served = await serveHttp({ http, log, host: '127.0.0.1', port: 0, socket, ...options })
  ends.push(() => served.close(0))
  return { ...stand, http, served, socket }
}

type Sent = {
  path: string
  socketPath?: string
  port?: number
  method?: string
  headers?: Record<string, string>
  body?: string
  agent?: Agent
}
const ask = ({ body, ...sent }: Sent) =>
  new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((done, fail) => {
    const outgoing = request(
      { host: '127.0.0.1', agent: false, method: body === undefined ? 'GET' : 'POST', ...sent },
      (answer) =>
        void text(answer).then(
          (read) => done({ status: answer.statusCode!, text: read, headers: answer.headers }),
          fail,
        ),
    )
    outgoing.on('error', fail)
    outgoing.end(body)
  })

/** Writes bytes to the port and gives all that comes back until it is closed. */
const raw = (port: number, bytes: string, drip?: string) =>
  new Promise<string>((done, fail) => {
    let got = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const timer = drip === undefined ? undefined : setInterval(() => socket.write(drip), 50)
    socket
      .on('data', (chunk) => {
        got += chunk.toString()
        clearInterval(timer)
      })
      // What was still being written when the answer came may end in a reset.
      .on('error', (error) => (got === '' ? fail(error) : undefined))
      .on('close', () => {
        clearInterval(timer)
        done(got)
      })
  })

const bearer = { authorization: 'Bearer ann-token' }

describe('where it listens', () => {
  test('H10 on loopback, where a token is needed, and on the socket, where none is', async () => {
    const { served, socket } = await serve()
    expect(served.host).toBe('127.0.0.1')
    expect((await ask({ path: '/v1/ps', port: served.port })).status).toBe(401)
    expect((await ask({ path: '/v1/ps', port: served.port, headers: bearer })).status).toBe(200)
    expect((await ask({ path: '/v1/user/ls', socketPath: socket })).status).toBe(200)
    expect(
      (
        await ask({
          path: '/v1/user/ls',
          port: served.port,
          headers: { ...bearer, 'x-forwarded-for': '127.0.0.1', host: 'dcm' },
        })
      ).status,
    ).toBe(403)
  })

  test("the socket is its owner's alone", async () => {
    const before = process.umask()
    process.umask(0)
    try {
      const { socket } = await serve()
      expect((await stat(socket)).mode & 0o777).toBe(0o600)
      expect(process.umask()).toBe(0)
    } finally {
      process.umask(before)
    }
  })

  test('a socket that a killed process left is taken over', async () => {
    const socket = join(folder, 'dcm.sock')
    // A server takes away the name that it listened on; under another one, its socket stays as after a kill.
    const killed = createServer()
    await new Promise<void>((done) => killed.listen(join(folder, 'before'), done))
    await rename(join(folder, 'before'), socket)
    await new Promise((done) => killed.close(done))
    expect((await stat(socket)).isSocket()).toBe(true)
    await serve()
    expect((await ask({ path: '/healthz', socketPath: socket })).status).toBe(200)
  })

  test('one that answers is not', async () => {
    const { socket } = await serve()
    await expect(serve()).rejects.toThrow('Another DCM already answers on this data folder.')
    expect((await ask({ path: '/healthz', socketPath: socket })).status).toBe(200)
  })

  test('nor is a file', async () => {
    await writeFile(join(folder, 'dcm.sock'), 'precious')
    await expect(serve()).rejects.toThrow('is not a socket')
  })

  test('a port that is taken is said', async () => {
    const { served } = await serve()
    await expect(serve({ port: served.port, socket: join(folder, 'other.sock') })).rejects.toThrow(
      `Port ${served.port} of 127.0.0.1 is taken; set DCM_HTTP_ADDR to another.`,
    )
    expect((await ask({ path: '/healthz', port: served.port })).status).toBe(200)
  })

  test('a path that is too long for a socket is said', async () => {
    await expect(serve({ socket: join(folder, 'x'.repeat(100), 'dcm.sock') })).rejects.toThrow(
      'set DCM_DATA_DIR to a shorter one',
    )
  })
})

describe('H06 hostile senders', () => {
  test('too many headers, and too large ones', async () => {
    const { served } = await serve()
    const many = Array.from({ length: 1000 }, (_, at) => `x${at}: 1\r\n`).join('')
    expect(await raw(served.port, `GET /healthz HTTP/1.1\r\nHost: x\r\n${many}\r\n`)).toMatch(
      /^HTTP\/1\.1 431 .*"error":"usage"/s,
    )
    expect(await raw(served.port, `GET /healthz HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    )
    expect((await ask({ path: '/healthz', port: served.port })).status).toBe(200)
  })

  test('what is not HTTP', async () => {
    const { served } = await serve()
    expect(await raw(served.port, 'SSH-2.0-x\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"tone":"error"/s)
  })

  test('two lengths, by which requests are smuggled', async () => {
    const { served } = await serve()
    expect(
      await raw(
        served.port,
        'POST /v1/ps HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1\.1 400 /)
  })

  const quick = { patience: { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50 } }

  test('slow heads and slow bodies get 408, while others are served', async () => {
    const { served } = await serve(quick)
    const slow = [
      raw(served.port, 'GET /v1/ps HTTP/1.1\r\nHost: x\r\n', 'x: y\r\n'),
      raw(
        served.port,
        'POST /v1/ps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann-token\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
        ' ',
      ),
    ]
    expect((await ask({ path: '/v1/ps', port: served.port, headers: bearer })).status).toBe(200)
    for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^HTTP\/1\.1 408 .*took too long/s)
  })

  test('a body without an end is cut at its bound, chunked or not', async () => {
    const { served } = await serve()
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    const head =
      'POST /v1/ps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann-token\r\nContent-Type: application/json\r\n'
    expect(
      await raw(
        served.port,
        `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}0\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1\.1 413 .*larger than 1048576/s)
    expect(
      await raw(served.port, `${head}Connection: close\r\nContent-Length: 2000000\r\n\r\n${' '.repeat(2_000_000)}`),
    ).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('who leaves in the middle of a wait does not end the operation, and holds nothing', async () => {
    const { served, operations, finish } = await serve({}, { limits: { waiting: 1 } })
    const body = JSON.stringify({ name: 'slow', image: 'debian', wait: 300 })
    const outgoing = request({
      host: '127.0.0.1',
      port: served.port,
      path: '/v1/create',
      method: 'POST',
      headers: { ...bearer, 'content-type': 'application/json' },
    })
    outgoing.on('error', () => {})
    outgoing.end(body)
    await until(() => operations().length > 0)
    outgoing.destroy()
    // Its only place is free once the server has seen it leave.
    const wait = { path: '/v1/operations/op-1?wait=300', port: served.port, headers: bearer }
    let answer = ask(wait)
    let waits = false
    for (let tries = 0; tries < 100 && !waits; tries++) {
      waits = await Promise.race([answer.then(() => false), sleep(100, true)])
      if (!waits) answer = ask(wait)
    }
    expect(waits).toBe(true)
    finish('op-1', { text: 'Made slow.', tone: 'ok' })
    expect(await answer).toMatchObject({ status: 200, text: expect.stringContaining('Made slow.') as string })
  })
})

describe('the end', () => {
  test('lets who waits have an answer, and takes the socket away', async () => {
    const { served, socket, operations } = await serve()
    const waiting = ask({
      path: '/v1/create',
      socketPath: socket,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'slow', image: 'debian', wait: 300 }),
    })
    await until(() => operations().length > 0)
    await served.close(5000)
    expect((await waiting).status).toBe(202)
    await expect(ask({ path: '/healthz', port: served.port })).rejects.toThrow('ECONNREFUSED')
    await expect(stat(socket)).rejects.toThrow('ENOENT')
  })

  test('does not wait for idle connections, nor for ever for busy ones', async () => {
    const { served, door } = await serve()
    const agent = new Agent({ keepAlive: true })
    await ask({ path: '/healthz', port: served.port, agent })
    door.handle = () => new Promise(() => {})
    const hanging = ask({ path: '/v1/ps', port: served.port, headers: bearer })
    const refused = expect(hanging).rejects.toThrow('socket hang up')
    await sleep(50)
    await served.close(100)
    await refused
    agent.destroy()
  })

  test('leaves the socket of one that came after', async () => {
    const { served, socket } = await serve()
    await rm(socket)
    const next = await serve()
    await served.close(0)
    expect((await ask({ path: '/healthz', socketPath: next.socket })).status).toBe(200)
  })
})
