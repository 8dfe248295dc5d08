import { randomUUID } from 'node:crypto'
import type { Credential, Door } from '../../core/door/door.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal, type Reply } from '../../core/reply/reply.ts'
import type { Log } from '../../core/model/log.ts'
import { createSeats } from '../../core/command/seats.ts'
import { type Headers, respondJson, respondReply } from './answer.ts'
import { callerAddress, createBuckets, network, type Rate } from './limit.ts'
import type { createMetrics } from './metrics.ts'
import { Refused } from './refused.ts'

export type Limits = {
  /** Bytes of a body. */
  body: number
  /** Requests from one address, and with one token. */
  address: Rate
  token: Rate
  /** Requests of one caller that may wait for an outcome at a time. */
  waiting: number
  /** Large answers that one caller may be reading at a time: each is held in memory until it is read. */
  large: number
}

const usual: Limits = {
  body: 1024 * 1024,
  address: { perSecond: 200, burst: 1000 },
  token: { perSecond: 100, burst: 400 },
  waiting: 64,
  large: 8,
}

/** What the host of the app knows of the connection. `local`: it came over the socket that only root and the service's user can open. */
export type Origin = {
  local?: boolean
  address?: string | undefined
  /** Lets the body of this request take its time: whoever reads it has deadlines of their own. */
  patient?(): void
}

/** One request on its way through. */
export type Turn = {
  request: Request
  url: URL
  origin: Origin
  address: string
  headers: Headers
  requestId: string
  pattern: string
}

const limited = (seconds: number) =>
  new Refused(429, 'limited', `That were too many requests in a short time; try again in ${seconds} s.`, {
    'Retry-After': String(seconds),
  })

const bearer = /^Bearer +([\x21-\x7e]{1,512})$/i

/** What requests have in common, whatever they ask for: rates, places, who is calling, and an answer in any case. */
export function createTurns(deps: {
  door: Door
  log: Log
  limits: Partial<Limits> | undefined
  trustProxy: boolean
  metrics: Pick<ReturnType<typeof createMetrics>, 'request'>
}) {
  const { door, log, metrics } = deps
  const limits = { ...usual, ...deps.limits }
  const addresses = createBuckets(limits.address)
  const tokens = createBuckets(limits.token)
  const place = createSeats(limits.waiting)
  const largePlace = createSeats(limits.large)
  const waiting = new Set<AbortController>()
  let stopping = false

  /** Turns whatever was thrown into its Reply. */
  function failed(error: unknown, turn: Turn): Response {
    if (error instanceof Refused)
      return respondJson({ text: error.message, tone: 'error', error: error.code }, error.status, {
        ...turn.headers,
        ...error.headers,
      })
    if (error instanceof DcmError)
      return respondReply(refusal(error), { ...turn.headers, ...(error.code === 'unlinked' ? challenge : {}) })
    log.error({ error, requestId: turn.requestId, route: turn.pattern }, 'request failed')
    return respondReply(broken(turn.requestId), turn.headers)
  }

  /** Does what every request needs: an id, a rate, a log line, a measurement, and an answer whatever happens. */
  async function take(
    request: Request,
    origin: Origin,
    work: (turn: Turn) => Response | Promise<Response>,
  ): Promise<Response> {
    const began = performance.now()
    const sent = request.headers.get('x-request-id')
    const requestId = sent && /^[\w.:-]{1,64}$/.test(sent) ? sent : randomUUID()
    const address = origin.local
      ? 'local'
      : callerAddress(origin.address, request.headers.get('x-forwarded-for'), deps.trustProxy)
    const turn: Turn = {
      request,
      url: new URL(request.url),
      origin,
      address,
      requestId,
      headers: { 'X-Request-Id': requestId },
      pattern: 'other',
    }
    let response: Response
    try {
      const pause = origin.local ? 0 : addresses.take(network(address))
      if (pause > 0) throw limited(pause)
      if (stopping)
        throw new Refused(503, 'unavailable', 'DCM is stopping; try again in a moment.', {
          'Retry-After': '5',
          Connection: 'close',
        })
      response = await work(turn)
    } catch (error) {
      response = failed(error, turn)
    }
    const { status } = response
    const seconds = (performance.now() - began) / 1000
    const method = known.has(request.method) ? request.method : 'OTHER'
    metrics.request(method, turn.pattern, status, seconds)
    const say = status >= 500 ? log.warn : status >= 400 || method === 'POST' ? log.info : log.debug
    say.call(
      log,
      { method, route: turn.pattern, status, ms: Math.round(seconds * 1000), requestId, address },
      'request',
    )
    return response
  }

  /** Who is calling. A token that is shown counts even on the local socket: it asks for less. */
  async function identify(turn: Turn) {
    const header = turn.request.headers.get('authorization')
    let credential: Credential
    if (header === null) {
      if (!turn.origin.local)
        throw new DcmError(
          'unlinked',
          'Send your token as "Authorization: Bearer TOKEN"; make one with "dcm token new" or ask an admin.',
        )
      credential = { kind: 'local' }
    } else {
      const secret = bearer.exec(header)?.[1]
      if (!secret)
        throw new DcmError('unlinked', 'Authorization must be "Bearer TOKEN"; make a token with "dcm token new".')
      credential = { kind: 'token', secret }
    }
    const surface = turn.origin.local ? 'local' : 'http'
    const actor = await door.identify(credential, { surface, ...(turn.origin.local ? {} : { address: turn.address }) })
    const pause = turn.origin.local ? 0 : tokens.take(actor.tokenId ?? actor.person?.id ?? turn.address)
    if (pause > 0) throw limited(pause)
    // A member is one caller, with however many tokens.
    return { actor, key: actor.person?.id ?? turn.address }
  }

  /** What a waiting request holds: a place among the caller's, and a signal for when the caller leaves or DCM stops. */
  function hold(turn: Turn, key: string) {
    const free = turn.origin.local ? () => {} : place(key)
    if (!free)
      throw new Refused(
        429,
        'limited',
        `${limits.waiting} of your requests are already waiting; let some of them end first.`,
        { 'Retry-After': '5' },
      )
    const controller = new AbortController()
    const leave = () => controller.abort()
    waiting.add(controller)
    const left = turn.request.signal
    left.addEventListener('abort', leave, { once: true })
    return {
      signal: controller.signal,
      leave,
      done() {
        left.removeEventListener('abort', leave)
        waiting.delete(controller)
        free()
      },
    }
  }

  /** A large answer takes one of the caller's places until it has been read: who reads slowly makes DCM keep it. */
  const keeping = (turn: Turn, key: string) => () => {
    // A HEAD's body is never read.
    if (turn.origin.local || turn.request.method === 'HEAD') return () => {}
    const free = largePlace(key)
    if (free) return free
    throw new Refused(
      429,
      'limited',
      `${limits.large} large answers are on their way to you already; read those first.`,
      { 'Retry-After': '5' },
    )
  }

  return {
    limits,
    take,
    identify,
    hold,
    keeping,
    stop() {
      stopping = true
      for (const controller of waiting) controller.abort()
    },
  }
}

export type Turns = ReturnType<typeof createTurns>

/** Whether the caller wants to be told as it goes. */
export const wantsEvents = (turn: Turn): boolean =>
  turn.request.method !== 'HEAD' && (turn.request.headers.get('accept')?.includes('text/event-stream') ?? false)

const known = new Set(['GET', 'HEAD', 'POST'])
const challenge = { 'WWW-Authenticate': 'Bearer realm="dcm"' }

/** What a caller is told of what the log knows more of. */
export const broken = (reference: string): Reply => ({
  text: `Something broke on DCM's side; tell an admin the reference ${reference}.`,
  tone: 'error',
  error: 'internal',
})
