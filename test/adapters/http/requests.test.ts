import { describe, expect, test } from 'vitest'
import { createApp } from './setup.ts'

describe('H08 Idempotency-Key', () => {
  test('goes to the door, for 20 at once too', async () => {
    const { ask, containers, calls } = createApp()
    const sent = {
      as: 'ann',
      path: '/v1/create',
      body: { name: 'once', image: 'debian' },
      headers: { 'idempotency-key': 'k1' },
    } as const
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(sent)))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers[0]!.response.status).toBe(200)
    expect(containers('ann').filter((name) => name === 'once')).toHaveLength(1)
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({ idempotencyKey: 'k1' })
  })
})

describe('a request id', () => {
  test.each([
    ['is kept when it is sane', 'ci-42:a.b_c', true],
    ['is made when it is not', 'a b', false],
    ['is made when it is long', 'x'.repeat(65), false],
    ['is made when there is none', undefined, false],
  ])('%s', async (_, id, kept) => {
    const { ask, calls, lines } = createApp()
    const { response } = await ask({
      as: 'ann',
      path: '/v1/ps',
      headers: id === undefined ? {} : { 'x-request-id': id },
    })
    const got = response.headers.get('x-request-id')!
    if (kept) expect(got).toBe(id)
    else expect(got).toMatch(/^[0-9a-f-]{36}$/)
    expect(calls[0]!.requestId).toBe(got)
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ requestId: got, route: '/v1/ps', status: 200 })
  })
})

describe('H07 rates', () => {
  const slow = { perSecond: 0.001, burst: 3 }

  test('by token: another one is not held up', async () => {
    const { ask } = createApp({ limits: { token: slow } })
    const statuses = []
    for (let at = 0; at < 4; at++)
      statuses.push((await ask({ as: 'ann', path: '/v1/ps', origin: { address: `192.0.2.${at}` } })).response.status)
    expect(statuses).toEqual([200, 200, 200, 429])
    expect((await ask({ as: 'bob', path: '/v1/ps' })).response.status).toBe(200)
  })

  test.each([
    ['whatever X-Forwarded-For says', false, (at: number) => `203.0.113.${at}`, [401, 401, 401, 429]],
    ['by the address that a trusted proxy saw', true, (at: number) => `203.0.113.${at}`, [401, 401, 401, 401]],
    [
      'not by what the caller put before it',
      true,
      (at: number) => `198.51.100.${at}, 203.0.113.1`,
      [401, 401, 401, 429],
    ],
    ['by the connection when the header is nonsense', true, (at: number) => `nonsense-${at}`, [401, 401, 401, 429]],
  ])('by address, %s', async (_, trustProxy, forwarded, expected) => {
    const { ask, calls } = createApp({ trustProxy, limits: { address: slow } })
    const statuses = []
    for (let at = 0; at < 4; at++)
      statuses.push((await ask({ path: '/v1/ps', headers: { 'x-forwarded-for': forwarded(at) } })).response.status)
    expect(statuses).toEqual(expected)
    expect(calls).toEqual([])
  })

  test('say when to come back, and the local socket has none', async () => {
    const { ask } = createApp({ limits: { address: { perSecond: 0.5, burst: 1 }, token: slow } })
    await ask({ as: 'ann', path: '/v1/ps' })
    const { response, json } = await ask({ as: 'ann', path: '/v1/ps' })
    expect(response.headers.get('retry-after')).toBe('2')
    expect(json).toMatchObject({ error: 'limited', text: expect.stringContaining('in 2 s') as string })
    for (let at = 0; at < 10; at++)
      expect((await ask({ path: '/v1/ps', origin: { local: true } })).response.status).toBe(200)
  })
})

describe('when things are away', () => {
  test('the database: 503, and a token is not called bad', async () => {
    const { ask, state } = createApp()
    state.down = true
    const { response, json } = await ask({ as: 'ann', path: '/v1/ps' })
    expect({ status: response.status, json }).toMatchObject({ status: 503, json: { error: 'unavailable' } })
  })

  test('/readyz says so, and /healthz is alive', async () => {
    const { ask, state } = createApp()
    state.ready = false
    const { response, json } = await ask({ path: '/readyz' })
    expect({ status: response.status, json }).toEqual({
      status: 503,
      json: { ready: false, settled: true, open: 0, problems: ['The engine does not answer.'] },
    })
    expect((await ask({ path: '/healthz' })).response.status).toBe(200)
  })

  test('/readyz is not settled while something is under way', async () => {
    const { ask } = createApp()
    await ask({ as: 'ann', path: '/v1/create', body: { name: 'slow', image: 'debian', wait: 0 } })
    expect((await ask({ path: '/readyz' })).json).toMatchObject({ ready: true, settled: false, open: 1 })
  })

  test('many who ask at once cost one look', async () => {
    const { ask, state } = createApp()
    await Promise.all(Array.from({ length: 50 }, () => ask({ path: '/readyz' })))
    expect(state.health).toBeLessThan(50)
  })

  test('a failure that nobody foresaw has a reference, and no words of its own', async () => {
    const { ask, door, lines } = createApp()
    door.identify = () => Promise.reject(new Error('boom at /etc/secret'))
    const { response, text, json } = await ask({ as: 'ann', path: '/v1/ps' })
    expect(response.status).toBe(500)
    expect(text).not.toMatch(/boom|secret/)
    const reference = response.headers.get('x-request-id')!
    expect(json.text).toContain(reference)
    expect(lines.some((line) => line.includes('boom') && line.includes(reference))).toBe(true)
  })
})

describe('H10 /metrics', () => {
  test('counts by pattern and tells nothing of members', async () => {
    const { ask } = createApp()
    await ask({ as: 'ann', path: '/v1/logs?name=web' })
    await ask({ as: 'ann', path: '/v1/logs?name=secret-of-bob' })
    await ask({ as: 'ann', path: '/v1/operations/op-77' })
    await ask({ as: 'ann', path: '/v1/secret-path/x' })
    await ask({ as: 'ann', path: '/v1/create', body: { name: 'slow', image: 'debian', wait: 0 } })
    const { text, response } = await ask({ path: '/metrics' })
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(text).toContain('dcm_http_request_seconds_count{method="GET",route="/v1/logs",status="200"} 1')
    expect(text).toContain('dcm_http_request_seconds_count{method="GET",route="/v1/operations/{id}",status="404"} 1')
    expect(text).toContain('dcm_http_request_seconds_count{method="GET",route="other",status="404"} 1')
    expect(text).toContain('dcm_operations_open 1')
    expect(text).toContain('dcm_ready 1')
    expect(text).toContain('process_resident_memory_bytes')
    expect(text).not.toMatch(/ann|bob|web|op-77|secret-path|192\.0\.2/)
  })
})

describe("another adapter's routes", () => {
  test('are answered under their path, and only there', async () => {
    const { ask, http } = createApp()
    http.mount('/slack', (request, origin) => new Response(`${new URL(request.url).pathname} ${origin.address}`))
    expect((await ask({ path: '/slack/events', body: {} })).text).toBe('/slack/events 192.0.2.7')
    expect((await ask({ path: '/slackers' })).response.status).toBe(404)
  })
})
