import { expect, test } from 'vitest'
import { createHookRoute } from '../../../src/adapters/http/hooks.ts'
import type { Answer, Knock } from '../../../src/core/hooks/receive.ts'
import { DcmError } from '../../../src/core/reply/error.ts'
import { info, ok } from '../../../src/core/reply/reply.ts'
import { createApp } from './setup.ts'

/** The app with hooks that answer as they are told, and remember what reached them. */
function createHooked(
  answer: (knock: Knock) => Answer | Promise<Answer> = () => ({ reply: ok('Done.'), accepted: false }),
) {
  const app = createApp()
  const knocks: Knock[] = []
  app.http.mount('/v1/hooks', createHookRoute({ receive: async (knock) => (knocks.push(knock), answer(knock)) }))
  return { ...app, knocks }
}
const path = '/v1/hooks/abcdefghijkm'

test('the body goes on byte for byte, with the headers and whose it is', async () => {
  const { send, knocks } = createHooked()
  const body = '{"a": 1,\r\n  "a":2, "é":"\\u00e9"} '
  expect(
    (await send({ path, body, headers: { 'X-Hub-Signature-256': 'sha256=ff', 'x-forwarded-for': '198.51.100.1' } }))
      .status,
  ).toBe(200)
  expect(Buffer.from(knocks[0]!.body).toString()).toBe(body)
  expect(knocks[0]).toMatchObject({ id: 'abcdefghijkm', address: '192.0.2.7' })
  expect(knocks[0]!.header('x-hub-signature-256')).toBe('sha256=ff')
  expect(knocks[0]).not.toHaveProperty('wait')
})

test('neither a token nor a type of content is asked for', async () => {
  const { send } = createHooked()
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json'])
    expect((await send({ path, body: 'x', headers: { 'content-type': type } })).status).toBe(200)
  expect((await send({ path, method: 'POST' })).status).toBe(200)
})

test.each([
  ['60', 60_000],
  ['60s', 60_000],
  ['5m', 300_000],
  ['0', 0],
])('?wait=%s is %d ms', async (wait, ms) => {
  const { send, knocks } = createHooked()
  await send({ path: `${path}?wait=${wait}`, body: '{}' })
  expect(knocks[0]!.wait).toBe(ms)
})

test('H06 what is too large, compressed or no POST is refused before anything looks at it', async () => {
  const { ask, knocks } = createHooked()
  const row = async (sent: Partial<Parameters<typeof ask>[0]>) => (await ask({ path, ...sent })).response.status
  expect(await row({ body: 'x'.repeat(2 * 1024 * 1024) })).toBe(413)
  expect(await row({ body: '{}', headers: { 'content-encoding': 'gzip' } })).toBe(415)
  expect(await row({ method: 'GET' })).toBe(405)
  expect(await row({ method: 'PUT', body: '{}' })).toBe(405)
  expect(await row({ path: `${path}?wait=301`, body: '{}' })).toBe(400)
  expect(knocks).toEqual([])
})

test('what is accepted is 202 and says where its operation is', async () => {
  const { ask } = createHooked(() => ({
    reply: info('It goes on.', { operation: { id: 'op1', state: 'running' } }),
    accepted: true,
  }))
  const { response, json } = await ask({ path, body: '{}' })
  expect(response.status).toBe(202)
  expect(response.headers.get('location')).toBe('/v1/operations/op1')
  expect(json).toMatchObject({ text: 'It goes on.' })
})

test('a refusal has its own status, and the log no word of what was sent', async () => {
  const { ask, lines } = createHooked(() => {
    throw new DcmError('unlinked', 'There is no such hook.')
  })
  const { response } = await ask({ path, body: '{"secret":"s3cr3t"}', headers: { 'x-gitlab-token': 't0k3n' } })
  expect(response.status).toBe(401)
  expect(lines.join('')).not.toMatch(/s3cr3t|t0k3n/)
})

test('no more wait at one hook than have a place, and no other hook is kept from answering', async () => {
  const gate = Promise.withResolvers<void>()
  const { send } = createHooked(async ({ id }) => {
    if (id === 'abcdefghijkm') await gate.promise
    return { reply: ok('Done.'), accepted: false }
  })
  const held = Array.from({ length: 64 }, async () => send({ path, body: '{}' }))
  await Promise.race([...held, new Promise((resolve) => setTimeout(resolve, 20))])
  expect((await send({ path, body: '{}' })).status).toBe(429)
  expect((await send({ path: '/v1/hooks/other', body: '{}' })).status).toBe(200)
  gate.resolve()
  expect((await Promise.all(held)).map((one) => one.status)).toEqual(held.map(() => 200))
})

test('commands and operations are where they were', async () => {
  const { ask } = createHooked()
  expect((await ask({ path: '/v1/ps', as: 'ann' })).response.status).toBe(200)
  expect((await ask({ path: '/v1/hooks' })).response.status).toBe(405)
  expect((await ask({ path: '/v1/hookx/1', body: {} })).response.status).toBe(404)
})
