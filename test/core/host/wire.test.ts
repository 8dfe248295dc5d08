import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAid } from '../../../src/core/host/docker/aid.ts'
import { createEngine, readRemap } from '../../../src/core/host/docker/engine.ts'
import { commandExit } from '../../../src/core/host/exit.ts'
import { answered } from '../../../src/core/host/docker/fault.ts'
import { logFrames } from '../../../src/core/host/docker/frames.ts'
import { jsonLines } from '../../../src/core/host/docker/stream.ts'
import { createWire, negotiate, type Wire } from '../../../src/core/host/docker/wire.ts'
import type { Engine, LogChunk } from '../../../src/core/host/engine.ts'
import { crookedIds, faultOf } from '../../contracts/host.ts'

const id = 'a'.repeat(64)
const version = JSON.stringify({ Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' })

describe('an engine that misbehaves', () => {
  let folder: string
  let server: Server
  let wire: Wire
  let engine: Engine
  let asked: string[]
  let answer: (request: IncomingMessage, response: ServerResponse) => void

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dcm-wire-'))
    asked = []
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      if (request.url === '/version') response.end(version)
      else answer(request, response)
    })
    await new Promise<void>((resolve) => server.listen(join(folder, 'sock'), resolve))
    wire = createWire({ dockerHost: `unix://${join(folder, 'sock')}` })
    engine = createEngine(wire, createAid(wire, 'i1'), { instance: 'i1', bindHost: '127.0.0.1' })
  })
  afterEach(async () => {
    wire.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })

  const say = (text: string, status = 200) => {
    answer = (_, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  }
  const good = { Id: id, Names: ['/dcm-i1-x'], ImageID: `sha256:${id}`, State: 'running', Labels: { 'dcm.id': 'x' } }

  test.each([
    ['truncated JSON', '[{"Id":"'],
    ['HTML', '<html>502</html>'],
    ['null for a list', 'null'],
    ['an object for a list', '{}'],
    ['null in a list', '[null]'],
    ['nothing', ''],
    ['an unknown state', JSON.stringify([{ ...good, State: 'zombie' }])],
    ['an id that is none', JSON.stringify([{ ...good, Id: '../x' }])],
    ['no image', JSON.stringify([{ ...good, ImageID: null }])],
  ])('L08: %s is a broken answer, for lists', async (_, text) => {
    say(text)
    expect(await faultOf(() => engine.list())).toBe('broken')
  })

  test.each([
    ['a string', '"x"'],
    ['null', 'null'],
    ['no state', JSON.stringify({ Id: id, Name: '/x', Image: 'y' })],
    [
      'another container',
      JSON.stringify({ Id: 'b'.repeat(64), Name: '/x', Image: 'y', State: { Status: 'running', ExitCode: 0 } }),
    ],
    [
      'an exit code in words',
      JSON.stringify({ Id: id, Name: '/x', Image: 'y', State: { Status: 'exited', ExitCode: 'one' } }),
    ],
  ])('L08: %s is a broken answer, for one container', async (_, text) => {
    say(text)
    expect(await faultOf(() => engine.inspect(id))).toBe('broken')
  })

  test('what Go writes as null is empty where it may be', async () => {
    say(JSON.stringify([{ ...good, Labels: null, Names: null }]))
    expect(await engine.list()).toEqual([
      { engineId: id, engineName: '', id: undefined, state: 'running', imageId: `sha256:${id}` },
    ])
    say(JSON.stringify({ Id: `sha256:${id}`, Size: 1, RootFS: { Layers: null }, Config: null }))
    expect(await engine.image(`sha256:${id}`)).toEqual({
      engineId: `sha256:${id}`,
      size: 1,
      layers: 0,
      env: [],
      labels: {},
      volumes: [],
      entrypoint: [],
      command: [],
    })
  })

  test.each([
    [404, 'No such container: x', 'gone'],
    [409, 'Conflict. The container name "/x" is already in use by container "123"', 'taken'],
    [
      500,
      'driver failed programming external connectivity: Bind for 127.0.0.1:1 failed: port is already allocated',
      'taken',
    ],
    [500, 'write /x: no space left on device', 'full'],
    [500, 'max depth exceeded', 'full'],
    [404, 'no available, non-overlapping IPv4 address pool among the defaults', 'full'],
    [404, 'network dcm-x not found', 'refused'],
    [403, 'Pool overlaps with other one on this address space', 'taken'],
    [400, 'invalid mount config', 'refused'],
    [503, 'daemon is shutting down', 'down'],
    [500, 'runtime error', 'broken'],
  ] as const)('%i "%s" is: %s', (status, message, fault) => {
    expect(answered(status, JSON.stringify({ message }), 'it')).toMatchObject({ fault, status })
    expect(answered(status, '<html>', 'it').fault).not.toBe('full')
  })

  test('a lost connection, no engine and an answer that never comes are all: down', async () => {
    answer = (request) => request.socket.destroy()
    expect(await faultOf(() => engine.list())).toBe('down')
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('[')
      setTimeout(() => response.destroy(), 10)
    }
    expect(await faultOf(() => engine.list())).toBe('down')
    answer = () => undefined
    expect(await faultOf(() => wire.call('GET', ['x'], { deadline: 50 }))).toBe('down')
    answer = (_, response) => void response.writeHead(200).write('[')
    expect(await faultOf(() => wire.call('GET', ['x'], { deadline: 50 }))).toBe('down')
    const nobody = createWire({ dockerHost: `unix://${join(folder, 'none')}` })
    expect(await faultOf(() => nobody.version())).toBe('down')
  })

  test('a read on a connection that the engine had just closed is asked again, a change is not', async () => {
    say('[]')
    await engine.list()
    let cut = true
    answer = (request, response) => {
      if (cut) {
        cut = false
        request.socket.destroy()
      } else response.end('[]')
    }
    expect(await engine.list()).toEqual([])
    cut = true
    await engine.list()
    cut = true
    expect(await faultOf(() => engine.start(id))).toBe('down')
  })

  test('C06: an id that is none is refused before anything is sent', async () => {
    say('{}')
    for (const crooked of crookedIds) {
      expect(await faultOf(() => engine.inspect(crooked))).toBe('refused')
      expect(await faultOf(() => engine.remove(crooked))).toBe('refused')
      expect(await faultOf(() => engine.alias(crooked, 'dcm-i1-n', ['web']))).toBe('refused')
      expect(await faultOf(() => engine.removeNetwork(crooked))).toBe('refused')
      expect(await faultOf(() => engine.untag(crooked))).toBe('refused')
    }
    expect(asked).toEqual([])
  })

  test('an event stream ends when the link does, and skips what does not concern DCM', async () => {
    answer = (_, response) => {
      const event = (Action: string, more = {}) =>
        `${JSON.stringify({ Type: 'container', Action, Actor: { ID: id, Attributes: { 'dcm.id': 'x', exitCode: '3' } }, timeNano: 1e18, ...more })}\n`
      response.write(event('exec_start: sh') + event('die').slice(0, 20))
      response.write(event('die').slice(20) + event('start', { Type: 'network' }))
      setTimeout(() => response.destroy(), 20)
    }
    const events = []
    let ready = 0
    for await (const event of engine.events(new AbortController().signal, () => ready++)) events.push(event)
    expect(events).toEqual([{ engineId: id, id: 'x', kind: 'die', exitCode: 3, at: new Date(1e12) }])
    expect(ready).toBe(1)
  })

  test('the version is asked once, and again after the engine was away', async () => {
    say('[]')
    await Promise.all([engine.list(), engine.list()])
    expect(asked.filter((line) => line.includes('version'))).toHaveLength(1)
    expect(asked).toContain(
      'GET /v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22dcm.instance%3Di1%22%5D%7D',
    )
    answer = (request) => request.socket.destroy()
    expect(await faultOf(() => engine.list())).toBe('down')
    say('[]')
    await engine.list()
    expect(asked.filter((line) => line.includes('version'))).toHaveLength(2)
  })
})

test('the API version is 1.41, or the nearest that the engine speaks', () => {
  expect(negotiate('1.41', '1.12')).toBe('1.41')
  expect(negotiate('1.50', '1.24')).toBe('1.41')
  expect(negotiate('1.52', '1.44')).toBe('1.44')
  expect(negotiate('1.40', '1.12')).toBe('1.40')
  expect(() => negotiate('2', '1.12')).toThrow('cannot be read')
})

test('DOCKER_HOST is a socket or an address', () => {
  for (const dockerHost of ['', 'ssh://a@b', 'npipe:////x', 'tcp://', 'tcp://a b', 'unix', 'tcp://a:1/../x'])
    expect(() => createWire({ dockerHost })).toThrow('DOCKER_HOST')
  expect(() => createWire({ dockerHost: 'tcp://127.0.0.1:2376', certPath: '/nowhere' })).toThrow('DOCKER_CERT_PATH')
})

test('an address is asked in the clear without a folder of certificates, and never else', async () => {
  const server = createServer((_, response) => response.end(version))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const [plain, secure] = [
    createWire({ dockerHost: `tcp://127.0.0.1:${port}`, tlsVerify: true }),
    createWire({ dockerHost: `https://127.0.0.1:${port}`, tlsVerify: false }),
  ]
  expect(await plain.version()).toEqual({ api: '1.41', engine: '20.10.24' })
  expect(await faultOf(() => secure.version())).toBe('down')
  for (const one of [plain, secure]) one.close()
  await new Promise((resolve) => server.close(resolve))
})

test("the first uid of the engine's user namespace is in its data folder's name", () => {
  expect(readRemap(['name=seccomp,profile=default'], '/var/lib/docker')).toBeNull()
  expect(readRemap(['name=seccomp,profile=default', 'name=userns'], '/var/lib/docker/231072.231073')).toEqual({
    uid: 231_072,
    gid: 231_073,
  })
})

describe('the log', () => {
  const frame = (stream: number, text: string) => {
    const head = Buffer.alloc(8)
    head[0] = stream
    head.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([head, Buffer.from(text)])
  }
  const read = async (chunks: Buffer[]) => {
    const out: LogChunk[] = []
    for await (const chunk of logFrames(Readable.from(chunks))) out.push(chunk)
    return ['stdout', 'stderr'].map((name) =>
      Buffer.concat(out.filter((one) => one.stream === name).map((one) => one.data)).toString(),
    )
  }

  test('comes apart however it was cut', async () => {
    const whole = Buffer.concat([
      frame(1, 'out\n'),
      frame(2, 'err\n'),
      frame(1, ''),
      frame(1, 'x'.repeat(5000)),
      frame(2, 'é\n'),
    ])
    for (const size of [1, 3, 8, 9, 4096, whole.length]) {
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.subarray(at * size, (at + 1) * size),
      )
      expect(await read(chunks)).toEqual([`out\n${'x'.repeat(5000)}`, 'err\né\n'])
    }
  })

  test('T8: ten thousand small frames in one chunk do not recurse', async () => {
    const [out] = await read([Buffer.concat(Array.from({ length: 10_000 }, () => frame(1, 'a')))])
    expect(out).toBe('a'.repeat(10_000))
  })

  test('that is none, or ends in the middle, is a broken answer', async () => {
    expect(await faultOf(() => read([Buffer.from('hello, world')]))).toBe('broken')
    expect(await faultOf(() => read([frame(1, 'hello').subarray(0, 10)]))).toBe('broken')
    expect(await faultOf(() => read([frame(1, 'hello').subarray(0, 5)]))).toBe('broken')
  })

  test('tells how the command ended', () => {
    expect(commandExit('a\ndcm: command exited with code 3\nb\ndcm: command exited with code 143\n')).toBe(143)
    expect(commandExit('dcm: command exited with code 0')).toBe(0)
    for (const log of [
      '',
      'dcm: command exited with code',
      ' dcm: command exited with code 3',
      'dcm: command exited with code 999',
      'dcm: command exited with code 3x',
    ])
      expect(commandExit(log)).toBeNull()
  })
})

test('progress is read line by line, and half a line is a broken answer', async () => {
  const read = async (text: string) => {
    const values: unknown[] = []
    for await (const value of jsonLines(
      Readable.from([...Buffer.from(text)].map((byte) => Buffer.from([byte]))),
      1000,
      'it',
    ))
      values.push(value)
    return values
  }
  expect(await read('{"a":"é"}\r\n\n{"b":2}\n')).toEqual([{ a: 'é' }, { b: 2 }])
  expect(await faultOf(() => read('{"a":1}\n{"b"'))).toBe('broken')
  expect(await faultOf(() => read('hello\n'))).toBe('broken')
})
