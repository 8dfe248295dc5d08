import { describe, expect, test } from 'vitest'
import { createApp, readEvents } from './setup.ts'
import { until } from '../../setup/until.ts'

const slow = { as: 'ann', path: '/v1/create', body: { name: 'slow', image: 'debian', wait: 0 } } as const

describe('what goes on', () => {
  test('is 202 with the operation and where to ask', async () => {
    const { ask, finish } = createApp()
    const { response, json } = await ask(slow)
    expect(response.status).toBe(202)
    expect(json.operation).toMatchObject({ id: 'op-1', state: 'running' })
    const path = response.headers.get('location')!
    expect(path).toBe('/v1/operations/op-1')

    expect((await ask({ as: 'ann', path })).json).toEqual({
      id: 'op-1',
      kind: 'create',
      state: 'running',
      progress: 'Making the container',
      reply: null,
    })
    expect((await ask({ as: 'bob', path })).response.status).toBe(404)
    expect((await ask({ path })).response.status).toBe(401)

    const waiting = ask({ as: 'ann', path: `${path}?wait=300` })
    finish('op-1', { text: 'Made slow.', tone: 'ok' })
    expect((await waiting).json).toMatchObject({ state: 'done', reply: { text: 'Made slow.' } })
  })

  test.each([
    ['in the body', { ...slow, body: { ...slow.body, wait: 300 } }],
    ['in the query', { ...slow, path: '/v1/create?wait=300', body: { name: 'slow', image: 'debian' } }],
    ['beside a line', { ...slow, path: '/v1/line', body: { line: 'create slow --image debian', wait: '300' } }],
  ] as const)('is waited for as long as is said %s', async (_, sent) => {
    const { ask, finish, operations } = createApp()
    const answer = ask(sent)
    await until(() => operations().length > 0)
    finish('op-1', { text: 'Made slow.', tone: 'ok' })
    expect((await answer).response.status).toBe(200)
    expect((await answer).json.text).toBe('Made slow.')
  })

  test("that failed has its error's status", async () => {
    const { ask, finish, operations } = createApp()
    const answer = ask({ ...slow, body: { ...slow.body, wait: 300 } })
    await until(() => operations().length > 0)
    finish('op-1', { text: 'The engine does not answer.', tone: 'error', error: 'unavailable' })
    expect((await answer).response.status).toBe(503)
  })

  test('answers at once when DCM stops, and nobody gets in any more', async () => {
    const { ask, http, operations } = createApp()
    const answer = ask({ ...slow, body: { ...slow.body, wait: 300 } })
    await until(() => operations().length > 0)
    http.stop()
    expect((await answer).response.status).toBe(202)
    const late = await ask({ as: 'ann', path: '/v1/ps' })
    expect(late.response.status).toBe(503)
    expect(late.response.headers.get('retry-after')).toBe('5')
  })

  test('holds a place: a caller has so many, and others their own', async () => {
    const { ask, http, operations } = createApp({ limits: { waiting: 2 } })
    const wait = (as: 'ann' | 'bob', name: string) =>
      ask({ as, path: '/v1/create', body: { name, image: 'debian', wait: 300 } })
    const two = [wait('ann', 'slow-a'), wait('ann', 'slow-b')]
    await until(() => operations().length === 2)
    const third = await wait('ann', 'slow-c')
    expect(third.response.status).toBe(429)
    expect((await ask({ as: 'ann', path: '/v1/ps' })).response.status).toBe(200)
    const bobs = wait('bob', 'slow-d')
    await until(() => operations().length === 3)
    http.stop()
    expect((await Promise.all([...two, bobs])).map(({ response }) => response.status)).toEqual([202, 202, 202])
  })
})

describe('events', () => {
  const sent = { ...slow, body: { ...slow.body, wait: 300 }, headers: { accept: 'text/event-stream' } }

  test('tell of progress, then the reply, then the end', async () => {
    const { send, tell, finish, operations } = createApp()
    const response = await send(sent)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const events = readEvents(response)
    await until(() => operations().length > 0)
    tell('op-1', 'Waiting for sshd')
    finish('op-1', { text: 'Made slow.', tone: 'ok' })
    expect(await events).toEqual([
      { event: 'progress', data: { text: 'Making the container', operation: 'op-1' } },
      { event: 'progress', data: { text: 'Waiting for sshd', operation: 'op-1' } },
      { event: 'reply', data: { text: 'Made slow.', tone: 'ok', operation: { id: 'op-1', state: 'done' } } },
      { event: 'end', data: {} },
    ])
  })

  test('of an operation', async () => {
    const { send, ask, finish, tell } = createApp()
    await ask(slow)
    const events = readEvents(await send({ as: 'ann', path: '/v1/operations/op-1?wait=300', headers: sent.headers }))
    tell('op-1', 'Nearly')
    finish('op-1', { text: 'Made slow.', tone: 'ok' })
    expect((await events).at(-2)).toMatchObject({
      event: 'operation',
      data: { state: 'done', reply: { text: 'Made slow.' } },
    })
    const over = await readEvents(await send({ as: 'ann', path: '/v1/operations/op-1', headers: sent.headers }))
    expect(over.map(({ event }) => event)).toEqual(['operation', 'end'])
  })

  test('of what does not go on are the reply alone', async () => {
    const { send } = createApp()
    const events = await readEvents(await send({ as: 'ann', path: '/v1/ps', headers: sent.headers }))
    expect(events.map(({ event }) => event)).toEqual(['reply', 'end'])
  })

  test('end when the reader leaves; the operation does not', async () => {
    const { send, operations, finish, ask } = createApp({ limits: { waiting: 1 } })
    const reader = (await send(sent)).body!.getReader()
    await reader.read()
    await until(() => operations().length > 0)
    await reader.cancel()
    expect(operations()[0]!.state).toBe('running')
    // The place that it held is free again.
    const events = readEvents(await send({ as: 'ann', path: '/v1/operations/op-1?wait=300', headers: sent.headers }))
    finish('op-1', { text: 'Made slow.', tone: 'ok' })
    expect((await events).length).toBeGreaterThan(1)
    expect((await ask({ as: 'ann', path: '/v1/ps' })).text).toContain('slow')
  })

  test('do not pass a failure of the door on', async () => {
    const { send, door, lines } = createApp()
    door.handle = () => Promise.reject(new Error('boom at /etc/secret'))
    const [reply] = await readEvents(await send(sent))
    expect(reply).toMatchObject({
      event: 'reply',
      data: { error: 'internal', text: expect.stringMatching(/reference [\w-]{36}\.$/) as string },
    })
    expect(JSON.stringify(reply)).not.toContain('boom')
    expect(lines.join('')).toContain('boom')
  })

  test('are refused like any request', async () => {
    const { ask } = createApp()
    const { response, json } = await ask({ ...sent, as: 'nobody' })
    expect(response.status).toBe(401)
    expect(json.error).toBe('unlinked')
  })
})

describe('a file', () => {
  test('is streamed as what it is', async () => {
    const { send } = createApp()
    const response = await send({ as: 'ann', path: '/v1/export?name=web' })
    expect(response.headers.get('content-type')).toBe('application/x-tar')
    expect(response.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''web.tar")
    expect((await response.arrayBuffer()).byteLength).toBe(64 * 16 * 1024)
  })

  test('is let go of when the reader leaves', async () => {
    const { send, state } = createApp()
    const reader = (await send({ as: 'ann', path: '/v1/export?name=web' })).body!.getReader()
    await reader.read()
    await reader.cancel()
    await until(() => state.fileClosed)
    expect(state.fileClosed).toBe(true)
  })

  test('follows its reply as events', async () => {
    const { send } = createApp()
    const events = await readEvents(
      await send({ as: 'ann', path: '/v1/export?name=web', headers: { accept: 'text/event-stream' } }),
    )
    expect(events[0]).toEqual({
      event: 'reply',
      data: { text: 'The file.', tone: 'info', file: { name: 'web.tar', type: 'application/x-tar' } },
    })
    expect(events.filter(({ event }) => event === 'file')).toHaveLength(64)
    expect(events.at(-1)!.event).toBe('end')
  })
})
