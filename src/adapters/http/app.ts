import { Hono } from 'hono'
import type { Registry } from 'prom-client'
import type { Door } from '../../core/door/door.ts'
import type { Log } from '../../core/model/log.ts'
import { type Headers, respond, respondJson } from './answer.ts'
import { createCalls } from './call.ts'
import { docs } from './docs.ts'
import { createMetrics } from './metrics.ts'
import { Refused } from './refused.ts'
import { createRoutes } from './routes.ts'
import { createTurns, type Limits, type Origin, type Turn } from './turn.ts'

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

/** The HTTP API: every command a route, over the one door. It knows no command by name. */
export function createHttp(options: HttpOptions): Http {
  const { door, log } = options
  const prefix = options.publicUrl ? new URL(options.publicUrl).pathname.replace(/\/$/, '') : ''
  const findRoute = createRoutes(door.commands)
  const mounts: { path: string; answer: Mounted }[] = []
  let document: string | undefined

  let asked: ReturnType<Door['health']> | undefined
  /** One look for all who ask at the same time: anyone may ask, and it costs the database a query. */
  const health = () => (asked ??= door.health().finally(() => (asked = undefined)))
  const metrics = createMetrics(health, options.metrics)
  const turns = createTurns({ door, log, limits: options.limits, trustProxy: options.trustProxy ?? false, metrics })
  const { take, hold } = turns
  const { command, line, complete, operation } = createCalls({ door, log, turns })

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
    stop: turns.stop,
  }
}

function nowhere(): never {
  throw new Refused(
    404,
    'not_found',
    'There is nothing here; commands are under /v1/, and /docs/ and /openapi.json list them.',
  )
}
