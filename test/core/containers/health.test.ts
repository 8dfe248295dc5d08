import { Duplex, PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { healthy } from '../../../src/core/containers/health.ts'
import { HostError } from '../../../src/core/host/fault.ts'
import type { Net } from '../../../src/core/host/net.ts'

/** A port where each connection gets the next of these answers, and the last one for ever after; null: nobody is there. */
function port(...answers: (string | null)[]) {
  const asked: string[] = []
  const net = {
    async dial() {
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      if (answer === null || answer === undefined) throw new HostError('down', 'ECONNREFUSED')
      const [request, reply] = [new PassThrough(), new PassThrough()]
      request.on('data', (data: Buffer) => asked.push(data.toString()))
      reply.end(answer)
      return Duplex.from({ writable: request, readable: reply })
    },
  } as unknown as Net
  return { net, asked }
}
const none = new AbortController().signal
const look = (net: Net, signal = none) => healthy({ sleep: async () => {} }, net, 20_000, '/healthz?x=1', 'web', signal)

test('an answer from 200 to 399 is health, and the path is asked as it is', async () => {
  for (const status of [200, 204, 301, 399]) {
    const { net, asked } = port(`HTTP/1.1 ${status} Whatever\r\n\r\n`)
    expect(await look(net), String(status)).toBeUndefined()
    expect(asked.join('')).toMatch(/^GET \/healthz\?x=1 HTTP\/1\.0\r\nHost: web\r\n/)
  }
})

test('it is waited for', async () => {
  expect(
    await look(port(null, null, '', 'garbage\n', 'HTTP/1.0 503 Later\r\n\r\n', 'HTTP/1.0 200 OK\r\n\r\n').net),
  ).toBeUndefined()
})

test.each([
  [null, 'nothing answered'],
  ['HTTP/1.0 500 No\r\n\r\n', 'it answered 500'],
  ['SSH-2.0-OpenSSH\r\n', 'what answered was not HTTP'],
  ['', 'what answered was not HTTP'],
])('what never gets well is told: %j', async (answer, words) => {
  expect(await look(port(answer).net)).toBe(words)
})

test('who stops waiting gets no longer wait', async () => {
  expect(await look(port(null).net, AbortSignal.abort())).toBe('nothing answered')
})
