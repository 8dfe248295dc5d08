import type { Command } from '../../core/command/define.ts'
import { nearest } from '../../core/command/nearest.ts'
import { Refused } from './refused.ts'

/** What a path under `/v1/` is. `pattern` is what logs and metrics may show of it. */
export type Route = { pattern: string } & (
  | { to: 'command'; command: Command }
  | { to: 'line' }
  | { to: 'complete' }
  | { to: 'operation'; id: string }
)

/** First words under `/v1/` that are not commands. */
const taken = ['line', 'hooks', 'operations']

/** Reads the routes off the commands, once. @throws Error when a command's first word is a route's own */
export function createRoutes(commands: readonly Command[]) {
  const routes = new Map<string, Route>([
    ['line', { to: 'line', pattern: '/v1/line' }],
    ['line/complete', { to: 'complete', pattern: '/v1/line/complete' }],
  ])
  for (const command of commands) {
    const path = command.name.replaceAll(' ', '/')
    if (taken.includes(path.split('/')[0]!))
      throw new Error(`The command "${command.name}" begins with a word that is reserved in /v1/.`)
    routes.set(path, { to: 'command', command, pattern: `/v1/${path}` })
  }

  /** @throws Refused 404 with the nearest route, 405 with the methods that are taken */
  return function find(method: string, path: string): Route {
    const operation = path.startsWith('operations/') ? path.slice('operations/'.length) : undefined
    const route: Route | undefined =
      operation && /^[\w-]{1,64}$/.test(operation)
        ? { to: 'operation', id: operation, pattern: '/v1/operations/{id}' }
        : routes.get(path)
    if (!route) {
      const guess = nearest(
        path.replaceAll('/', ' '),
        [...routes.keys()].map((known) => known.replaceAll('/', ' ')),
      )
      throw new Refused(
        404,
        'not_found',
        `There is no such route; ${guess ? `did you mean /v1/${guess.replaceAll(' ', '/')}?` : '/openapi.json lists them.'}`,
      )
    }
    const methods =
      route.to === 'operation'
        ? ['GET', 'HEAD']
        : route.to === 'command' && !route.command.changes
          ? ['GET', 'HEAD', 'POST']
          : ['POST']
    if (!methods.includes(method))
      throw new Refused(405, 'usage', `${route.pattern} takes ${methods.join(', ')}.`, { Allow: methods.join(', ') })
    return route
  }
}

/** What a query says as arguments: a key given again makes a list, and a flag needs no value. */
export function readQuery(query: URLSearchParams, command: Command): Record<string, unknown> {
  const args: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, text] of query) {
    const arg = Object.hasOwn(command.args, name) ? command.args[name] : undefined
    const value = text === '' && (arg?.kind === 'flag' || name === 'yes' || name === 'dry-run') ? true : text
    const known = args[name]
    args[name] = known === undefined ? value : Array.isArray(known) ? [...(known as unknown[]), value] : [known, value]
  }
  return args
}
