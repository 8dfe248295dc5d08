import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import type { Registry } from 'prom-client'
import type { Command } from '../../core/command/define.ts'
import type { Call, Credential, Door } from '../../core/door/door.ts'
import type { Actor } from '../../core/model/person.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal, type Reply } from '../../core/reply/reply.ts'
import type { Log } from '../../log.ts'
import { type Headers, onWire, respond, respondJson, respondReply } from './answer.ts'
import { readBody } from './body.ts'
import { docs } from './docs.ts'
import { respondEvents } from './events.ts'
import { callerAddress, createBuckets, createPlaces, network, type Rate } from './limit.ts'
import { createMetrics } from './metrics.ts'
import { Refused } from './refused.ts'
import { createRoutes, readQuery, type Route } from './routes.ts'

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

export type HttpOptions = {
  door: Door
  log: Log
  version: string
  /** Where callers reach this; only shown. */
  publicUrl?: string
  trustProxy?: boolean
  limits?: Partial<Limits>
  /** Where the app's numbers go too, for a process that has more to tell. */
  metrics?: Registry
}

/** What the app has found out of a request that another adapter answers. */
export type Aside = {
  address: string
  requestId: string
  /** For the answer. */
  headers: Headers
  /** Takes one of a caller's places among those who wait, until `done`. @throws Refused 429 when all are taken */
  hold(key: string): { signal: AbortSignal; done(): void }
}
export type Mounted = (request: Request, origin: Origin, aside: Aside) => Response | Promise<Response>

export type Http = {
  fetch(request: Request, origin?: Origin): Response | Promise<Response>
  /** Lets another adapter answer everything under a path: hooks, a chat platform's callbacks. Before the first request. */
  mount(path: string, answer: Mounted): void
  /** Refuses new requests and lets those that wait answer at once; operations go on. */
  stop(): void
}

/** One request on its way through. */
type Turn = {
  request: Request
  url: URL
  origin: Origin
  address: string
  headers: Headers
  requestId: string
  pattern: string
}

/** @throws Refused */
function readWait(value: unknown): number {
  const seconds =
    value === undefined || value === null
      ? 30
      : typeof value === 'string' && /^\d{1,3}(\.\d{1,3})?$/.test(value)
        ? Number(value)
        : value
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= 300))
    throw new Refused(400, 'usage', '"wait" is a number of seconds from 0 to 300.')
  return seconds * 1000
}

const limited = (seconds: number) =>
  new Refused(429, 'limited', `That were too many requests in a short time; try again in ${seconds} s.`, {
    'Retry-After': String(seconds),
  })

const bearer = /^Bearer +([\x21-\x7e]{1,512})$/i

/** The HTTP API: every command a route, over the one door. It knows no command by name. */
export function createHttp(options: HttpOptions): Http {
  const { door, log } = options
  const limits = { ...usual, ...options.limits }
  const prefix = options.publicUrl ? new URL(options.publicUrl).pathname.replace(/\/$/, '') : ''
  const findRoute = createRoutes(door.commands)
  const addresses = createBuckets(limits.address)
  const tokens = createBuckets(limits.token)
  const place = createPlaces(limits.waiting)
  const largePlace = createPlaces(limits.large)
  const waiting = new Set<AbortController>()
  const mounts: { path: string; answer: Mounted }[] = []
  let stopping = false
  let document: string | undefined

  let asked: ReturnType<Door['health']> | undefined
  /** One look for all who ask at the same time: anyone may ask, and it costs the database a query. */
  const health = () => (asked ??= door.health().finally(() => (asked = undefined)))
  const metrics = createMetrics(health, options.metrics)

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
      : callerAddress(origin.address, request.headers.get('x-forwarded-for'), options.trustProxy ?? false)
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

  const wantsEvents = (turn: Turn) =>
    turn.request.method !== 'HEAD' && (turn.request.headers.get('accept')?.includes('text/event-stream') ?? false)

  /** Runs one call and answers: at once, when it has ended, after `wait`, or as events. */
  async function run(turn: Turn, call: Call, changes: boolean, wait: number, key: string): Promise<Response> {
    // What changes nothing has nothing to wait for, and is spared what waiting costs.
    if (!changes && !wantsEvents(turn)) return respondReply(await door.handle(call), turn.headers, keeping(turn, key))
    const held = hold(turn, key)
    if (!wantsEvents(turn)) {
      try {
        return respondReply(await door.handle(call, { wait, signal: held.signal }), turn.headers, keeping(turn, key))
      } finally {
        held.done()
      }
    }
    return respondEvents(
      async (tell) => {
        try {
          const reply = await door.handle(call, { wait, signal: held.signal, progress: tell })
          return { event: 'reply', data: onWire(reply), file: reply.file }
        } catch (error) {
          log.error({ error, requestId: turn.requestId }, 'the door threw')
          return { event: 'reply', data: broken(turn.requestId) }
        }
      },
      turn.headers,
      held.leave,
      held.done,
    )
  }

  async function operation(turn: Turn, id: string): Promise<Response> {
    const { actor, key } = await identify(turn)
    const wait = readWait(turn.url.searchParams.get('wait') ?? 0)
    const now = await door.operation(actor, id, { wait: 0 })
    if (now.state !== 'running' || wait === 0)
      return wantsEvents(turn)
        ? respondEvents(
            async () => ({ event: 'operation', data: now }),
            turn.headers,
            () => {},
          )
        : respondJson(now, 200, turn.headers)
    const held = hold(turn, key)
    if (!wantsEvents(turn)) {
      try {
        return respondJson(await door.operation(actor, id, { wait, signal: held.signal }), 200, turn.headers)
      } finally {
        held.done()
      }
    }
    return respondEvents(
      async (tell) => {
        try {
          return {
            event: 'operation',
            data: await door.operation(actor, id, { wait, signal: held.signal, progress: tell }),
          }
        } catch (error) {
          return { event: 'reply', data: error instanceof DcmError ? refusal(error) : broken(turn.requestId) }
        }
      },
      turn.headers,
      held.leave,
      held.done,
    )
  }

  /** A typed line, or words that the local command's shell has split. */
  async function line(turn: Turn): Promise<Response> {
    const { actor, key } = await identify(turn)
    const { wait, ...body } = await readBody(turn.request, limits.body)
    const input = readLine(body)
    return run(
      turn,
      { actor, input, requestId: turn.requestId, ...idempotency(turn) },
      true,
      readWait(wait ?? turn.url.searchParams.get('wait')),
      key,
    )
  }

  async function complete(turn: Turn): Promise<Response> {
    const { actor } = await identify(turn)
    const { line: typed, ...rest } = await readBody(turn.request, limits.body)
    if (typeof typed !== 'string' || Object.keys(rest).length > 0)
      throw new DcmError('usage', 'Completion takes {"line": "what is typed so far"}.')
    return respondJson({ candidates: await door.complete(actor, typed) }, 200, turn.headers)
  }

  async function command(turn: Turn, route: Route & { to: 'command' }): Promise<Response> {
    const { actor, key } = await identify(turn)
    if (route.command.streams && isTar(turn.request)) return upload(turn, route.command, actor, key)
    const query = turn.request.method === 'POST' ? undefined : readQuery(turn.url.searchParams, route.command)
    const { wait, ...args } = query ?? (await readBody(turn.request, limits.body))
    const call: Call = {
      actor,
      input: { name: route.command.name, args },
      requestId: turn.requestId,
      ...idempotency(turn),
    }
    return run(turn, call, !!route.command.changes, readWait(wait ?? turn.url.searchParams.get('wait')), key)
  }

  /** A command that reads a stream of bytes: they are the body, and its arguments are in the query. */
  async function upload(turn: Turn, command: Command, actor: Actor, key: string): Promise<Response> {
    const { request, requestId } = turn
    const encoding = request.headers.get('content-encoding')
    if (encoding && encoding !== 'identity')
      throw new Refused(415, 'usage', 'A compressed body is not taken; send the tar as it is.')
    const { wait: _, ...args } = readQuery(turn.url.searchParams, command)
    const held = hold(turn, key)
    turn.origin.patient?.()
    try {
      const body = request.body ?? new Blob([]).stream()
      const call = { actor, input: { name: command.name, args }, requestId, body }
      return respondReply(await door.handle(call, { signal: held.signal }), turn.headers)
    } finally {
      held.done()
    }
  }

  const app = new Hono<{ Bindings: Origin }>()
  const at = (path: string, pattern: string, work: (turn: Turn, path: string) => Response | Promise<Response>) =>
    app.get(path, (c) =>
      take(c.req.raw, c.env, (turn) => {
        turn.pattern = pattern
        return work(turn, c.req.path)
      }),
    )

  /** What another adapter has under this path; undefined when none has. */
  function aside(turn: Turn, path: string): Response | Promise<Response> | undefined {
    const mount = mounts.find((one) => path === one.path || path.startsWith(`${one.path}/`))
    if (!mount) return undefined
    turn.pattern = mount.path
    const { request, origin, address, requestId, headers } = turn
    return mount.answer(request, origin, { address, requestId, headers, hold: (key) => hold(turn, key) })
  }

  app.all('/v1/*', (c) =>
    take(c.req.raw, c.env, (turn) => {
      const mounted = aside(turn, c.req.path)
      if (mounted) return mounted
      const route = findRoute(turn.request.method, c.req.path.slice('/v1/'.length))
      turn.pattern = route.pattern
      switch (route.to) {
        case 'command':
          return command(turn, route)
        case 'operation':
          return operation(turn, route.id)
        case 'line':
          return line(turn)
        case 'complete':
          return complete(turn)
      }
    }),
  )
  at('/healthz', '/healthz', (turn) => respondJson({ alive: true, version: options.version }, 200, turn.headers))
  at('/readyz', '/readyz', async (turn) => {
    const now = await health()
    return respondJson(now, now.ready ? 200 : 503, turn.headers)
  })
  at('/metrics', '/metrics', async (turn) =>
    respond(await metrics.text(), 200, { ...turn.headers, 'Content-Type': metrics.type }),
  )
  at('/openapi.json', '/openapi.json', async (turn) => {
    // Written when first asked for: most processes never are, and it costs the schemas of every command.
    document ??= JSON.stringify((await import('./openapi.ts')).openapi(door.commands, options))
    return respond(document, 200, { ...turn.headers, 'Content-Type': 'application/json' })
  })
  at(
    '/docs/*',
    '/docs',
    async (turn, path) => (await docs(path.slice('/docs/'.length), prefix, turn.headers)) ?? nowhere(),
  )
  app.notFound((c) => take(c.req.raw, c.env, (turn) => aside(turn, c.req.path) ?? nowhere()))

  return {
    fetch: (request, origin = {}) => app.fetch(request, origin),
    mount: (path, answer) => void mounts.push({ path, answer }),
    stop() {
      stopping = true
      for (const controller of waiting) controller.abort()
    },
  }
}

const isTar = (request: Request) => /^application\/x-tar\s*$/i.test(request.headers.get('content-type') ?? '')
const known = new Set(['GET', 'HEAD', 'POST'])
const challenge = { 'WWW-Authenticate': 'Bearer realm="dcm"' }

const broken = (reference: string): Reply => ({
  text: `Something broke on DCM's side; tell an admin the reference ${reference}.`,
  tone: 'error',
  error: 'internal',
})

function nowhere(): never {
  throw new Refused(404, 'not_found', 'There is nothing here; commands are under /v1/ and /openapi.json lists them.')
}

/** @throws Refused when there is a key that cannot be one */
function idempotency(turn: Turn): { idempotencyKey?: string } {
  const key = turn.request.headers.get('idempotency-key')
  if (key === null) return {}
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new Refused(400, 'usage', 'An Idempotency-Key is 1 to 255 visible ASCII characters.')
  return { idempotencyKey: key }
}

/** @throws DcmError `usage` */
function readLine(body: Record<string, unknown>): { line: string } | { words: string[] } {
  const { line, words, ...rest } = body
  const other = Object.keys(rest)[0]
  if (other !== undefined)
    throw new DcmError(
      'usage',
      `A line takes "line" or "words", and "wait"; "${other.slice(0, 60)}" belongs into the line.`,
    )
  if (typeof line === 'string' && words === undefined) return { line }
  if (line === undefined && Array.isArray(words) && words.every((word) => typeof word === 'string')) return { words }
  throw new DcmError('usage', 'Send {"line": "create web --image debian"}, or "words" with a list of texts.')
}
