import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { Log } from '../../core/model/log.ts'
import type { Handle } from './handle.ts'
import { kinds, readPayload } from './payload.ts'

/** How far a request's time may be from ours, either way. */
const window = 5 * 60_000
/** Bytes of a request; forms and their texts are far smaller. */
const longest = 256 * 1024

/** The key as the developer portal shows it: 32 bytes in hex. @throws for anything else */
export function readKey(hex: string): KeyObject {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new Error('not 64 hex digits')
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(hex, 'hex').toString('base64url') },
    format: 'jwk',
  })
}

const json = (body: unknown) =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
const no = (status: number, why: string) =>
  new Response(why, { status, headers: { 'content-type': 'text/plain', 'cache-control': 'no-store' } })

/** Reads a body as far as it may be long. @returns undefined for a longer one */
async function bytesOf(request: Request): Promise<Buffer | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > longest) return undefined
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += (chunk as Uint8Array).length
    if (size > longest) return undefined
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks)
}

/**
 * Interactions as signed requests: Ed25519 over the time and the raw body («Interactions Overview» of Discord's
 * documentation). The answer is the acknowledgement; what it asks for goes on afterwards.
 */
export function createEndpoint(options: {
  publicKey: KeyObject
  applicationId: () => string | undefined
  handle: Handle
  log: Log
  now: () => number
  /** Hears of work that goes on after an answer. */
  background?: ((work: Promise<unknown>) => void) | undefined
}) {
  const { publicKey, handle, log, now } = options
  /** Requests of the window, so that one that was listened in on is refused when it comes again; the outbox's key holds beyond this process. */
  const seen = new Map<string, number>()

  function isNew(id: string): boolean {
    for (const [old, at] of seen) {
      if (now() - at < 2 * window && seen.size < 20_000) break
      seen.delete(old)
    }
    if (seen.has(id)) return false
    seen.set(id, now())
    return true
  }

  return async (request: Request): Promise<Response> => {
    if (request.method !== 'POST') return no(405, 'Interactions are posted here.')
    const signature = request.headers.get('x-signature-ed25519') ?? ''
    const time = request.headers.get('x-signature-timestamp') ?? ''
    const bytes = await bytesOf(request)
    if (!bytes) return no(413, 'That is too long.')
    const fresh = /^\d{9,11}$/.test(time) && Math.abs(now() - Number(time) * 1000) <= window
    const signed =
      /^[0-9a-f]{128}$/i.test(signature) &&
      verify(null, Buffer.concat([Buffer.from(time), bytes]), publicKey, Buffer.from(signature, 'hex'))
    if (!fresh || !signed) return no(401, 'The signature is not good.')
    let value: unknown
    try {
      value = JSON.parse(bytes.toString('utf8'))
    } catch {
      return no(400, 'That is not JSON.')
    }
    if ((value as { type?: unknown } | null)?.type === kinds.ping) return json({ type: 1 })
    const payload = readPayload(value)
    const mine = options.applicationId()
    if (!payload || (mine !== undefined && payload.application_id !== mine))
      return no(400, 'That is no interaction of this application.')
    if (!isNew(payload.id)) return no(409, 'That has been answered.')
    try {
      const { response, later } = handle.interaction(payload)
      const answer = await response
      // After the answer has gone: nothing that it does may hold the answer up.
      if (later) {
        const going = new Promise((resolve) => setImmediate(resolve))
          .then(later)
          .catch((err: unknown) => log.warn({ err }, 'Discord: a request could not be carried on'))
        options.background?.(going)
      }
      return json(answer)
    } catch (err) {
      log.error({ err }, 'Discord: an interaction broke')
      return no(500, 'Something broke on our side.')
    }
  }
}
