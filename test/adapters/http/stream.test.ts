import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { createHttp, serveHttp, type Served } from '../../../src/adapters/http/index.ts'
import { respondEvents } from '../../../src/adapters/http/events.ts'
import { openapi } from '../../../src/adapters/http/openapi.ts'
import { defineCommand } from '../../../src/core/command/define.ts'
import type { Call, Waiting } from '../../../src/core/door/door.ts'
import { DcmError } from '../../../src/core/reply/error.ts'
import { info, ok, refusal, type Reply } from '../../../src/core/reply/reply.ts'
import { createLog } from '../../../src/log.ts'
import { createStandInDoor } from '../../stand-ins/door.ts'

const put = defineCommand({
  name: 'put',
  about: 'Takes bytes.',
  needs: 'member',
  changes: true,
  streams: true,
  args: { target: { kind: 'text', about: 'Where to.' } },
  run: () => Promise.reject(new Error('unused')),
})

const make = defineCommand({
  name: 'make',
  about: 'Takes bytes and begins something.',
  needs: 'member',
  changes: true,
  begins: true,
  streams: true,
  args: {
    target: { kind: 'text', about: 'What.' },
    value: { kind: 'env', flag: true, many: true, optional: true, secret: true, about: 'A value.' },
  },
  run: () => Promise.reject(new Error('unused')),
})

let served: Served
afterEach(() => served.close(0))

async function serve(handle: (call: Call, waiting?: Waiting) => Promise<Reply>, requestTimeout = 300) {
  const stand = createStandInDoor()
  const log = createLog({ level: 'silent' })
  const door = { ...stand.door, commands: [...stand.door.commands, put, make], handle }
  const http = createHttp({ door, log, version: '1', limits: { body: 1000 } })
  served = await serveHttp({ http, log, host: '127.0.0.1', port: 0, patience: { requestTimeout } })
}

function send(headers: Record<string, string> = {}, path = '/v1/put?target=a%20b') {
  const outgoing = request({
    ...{ host: '127.0.0.1', port: served.port, path, method: 'POST' },
    headers: { authorization: 'Bearer ann-token', 'content-type': 'application/x-tar', ...headers },
  })
  const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
    outgoing.on('error', reject)
    outgoing.on(
      'response',
      (got) => void text(got).then((all) => resolve({ status: got.statusCode!, text: all }), reject),
    )
  })
  answer.catch(() => undefined)
  return { outgoing, answer }
}

test('a tar is handed on as it comes, past the bound of other bodies and of their time', async () => {
  let args: unknown
  let size = 0
  await serve(async ({ input, body }) => {
    args = 'args' in input && input.args
    for await (const piece of body!) size += piece.byteLength
    return ok('Done.', { data: size })
  })
  const { outgoing, answer } = send()
  outgoing.write(Buffer.alloc(5000))
  await sleep(500)
  outgoing.end(Buffer.alloc(5000))
  expect(await answer).toMatchObject({ status: 200, text: expect.stringContaining('10000') as string })
  expect(args).toEqual({ target: 'a b' })
})

test('who does not read holds the sender back', async () => {
  let go = () => {}
  await serve(async ({ body }) => {
    await new Promise<void>((resolve) => (go = resolve))
    let size = 0
    for await (const piece of body!) size += piece.byteLength
    return ok('Done.', { data: size })
  })
  const { outgoing, answer } = send()
  let sent = 0
  let held = false
  for (; sent < 64 && !held; sent++) {
    if (outgoing.write(Buffer.alloc(2 ** 20))) continue
    held = await Promise.race([
      new Promise<boolean>((resolve) => outgoing.once('drain', () => resolve(false))),
      sleep(300, true),
    ])
  }
  expect(held).toBe(true)
  go()
  outgoing.end()
  expect((await answer).text).toContain(String(sent * 2 ** 20))
})

test('one that breaks off is no end, and a refusal in the middle arrives', async () => {
  let failure: unknown
  await serve(async ({ body }) => {
    try {
      for await (const _ of body!);
    } catch (error) {
      failure = error
    }
    return ok('Done.')
  })
  const { outgoing } = send()
  outgoing.write(Buffer.alloc(5000))
  await sleep(50)
  outgoing.destroy()
  await expect.poll(() => failure).toBeInstanceOf(Error)
  await served.close(0)
  await serve(async () => refusal(new DcmError('limited', 'The disk is full.')))
  const refused = send()
  refused.outgoing.write(Buffer.alloc(200_000))
  expect(await refused.answer).toMatchObject({
    status: 429,
    text: expect.stringContaining('The disk is full.') as string,
  })
})

test('elsewhere a tar is no body, a compressed one is none anywhere, and slow ones are cut off as ever', async () => {
  await serve(async () => ok('Done.'))
  const there = send({}, '/v1/ps')
  there.outgoing.end('x')
  expect((await there.answer).status).toBe(415)
  const small = send({ 'content-encoding': 'gzip' })
  small.outgoing.end('x')
  expect((await small.answer).status).toBe(415)
  const slow = send({ 'content-type': 'application/json' })
  slow.outgoing.write('{')
  expect((await slow.answer).status).toBe(408)
})

test('the document names the stream, and its arguments in the query', () => {
  const { post } = (openapi([put], { version: '1' }) as { paths: Record<string, { post: Record<string, unknown> }> })
    .paths['/v1/put']!
  expect(post).toMatchObject({
    parameters: expect.arrayContaining([expect.objectContaining({ name: 'target', in: 'query' })]) as unknown,
    requestBody: { content: { 'application/x-tar': {}, 'application/json': {} } },
    responses: { 200: { content: { 'application/x-tar': {} } } },
  })
})

test('what has no place in an address is in a header, and what is begun is waited for from when all has come', async () => {
  let args: unknown
  let read = false
  await serve(async ({ input, body }, { signal } = {}) => {
    args = 'args' in input && input.args
    for await (const _ of body!);
    read = true
    await new Promise((resolve) => signal!.addEventListener('abort', resolve, { once: true }))
    return info('It goes on.', { operation: { id: 'op1', state: 'running' } })
  })
  const { outgoing, answer } = send({ 'dcm-arguments': '{"value":["A=\\u00e4"]}' }, '/v1/make?target=x&wait=0')
  outgoing.write(Buffer.alloc(1000))
  // Its wait is over long before this, and it is still listened to.
  await sleep(200)
  outgoing.end(Buffer.alloc(1000))
  expect(await answer).toMatchObject({ status: 202, text: expect.stringContaining('op1') as string })
  expect(read).toBe(true)
  expect(args).toEqual({ target: 'x', value: ['A=\u00e4'] })
  const wrong = send({ 'dcm-arguments': '[1]' }, '/v1/make?target=x')
  wrong.outgoing.end()
  expect((await wrong.answer).status).toBe(400)
})

test('it is told of as it goes, while it is still being sent', async () => {
  await serve(async ({ body }, { progress } = {}) => {
    for await (const _ of body!) progress!('receiving', 'op1')
    return ok('Done.')
  })
  const { outgoing, answer } = send({ accept: 'text/event-stream' }, '/v1/make?target=x')
  const begun = new Promise<string>((resolve) =>
    outgoing.on('response', (got) => got.on('data', (data: Buffer) => resolve(data.toString()))),
  )
  outgoing.write(Buffer.alloc(1000))
  expect(await begun).toContain(': DCM')
  outgoing.end()
  expect((await answer).text).toMatch(/event: progress[\s\S]*op1[\s\S]*event: reply[\s\S]*Done/)
})

test('the document says what goes with a tar, and no secret is put into an address', () => {
  const { paths } = openapi([make], { version: '1' }) as { paths: Record<string, { post: Record<string, unknown> }> }
  const { parameters, requestBody, responses } = paths['/v1/make']!.post as Record<string, object>
  expect(JSON.stringify(parameters)).toMatch(/IdempotencyKey.*"target".*"wait".*Arguments/)
  expect(JSON.stringify(parameters)).not.toContain('"value"')
  expect(JSON.stringify(requestBody)).toContain('application/x-tar')
  expect(JSON.stringify(responses)).not.toContain('application/x-tar')
  expect(responses).toHaveProperty('202')
})

test('events whose bytes break off are over, so that their place is given back', async () => {
  let over = 0
  const bytes = (async function* () {
    yield Buffer.from('some')
    throw new Error('the container ended')
  })()
  const work = async () => ({ event: 'reply', data: {}, file: { name: 'x.tar', bytes } }) as never
  const response = respondEvents(
    work,
    {},
    () => {},
    () => void over++,
  )
  await expect(response.text()).rejects.toThrow()
  expect(over).toBe(1)
})
