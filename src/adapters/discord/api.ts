import {
  DiscordAPIError,
  HTTPError,
  RateLimitError,
  REST,
  type ResponseLike,
  type RESTOptions,
  type RouteLike,
} from 'discord.js'
import { Undelivered } from '../../core/chat/outlet.ts'
import type { Log } from '../../core/model/log.ts'
import type { Rendered } from './render.ts'

/** Codes of Discord's errors that mean something here: «Opcodes and Status Codes» of its documentation. */
export const codes = {
  unknownMessage: 10008,
  unknownWebhook: 10015,
  unknownInteraction: 10062,
  unknownGuild: 10004,
  unknownMember: 10007,
  acknowledged: 40060,
  missingAccess: 50001,
  noDirect: 50007,
  invalidToken: 50027,
  form: 50035,
}

/** How long a token that was refused is left alone. */
const untrusted = 60_000

type Verb = 'get' | 'post' | 'put' | 'patch'

export type Api = ReturnType<typeof createApi>

export const codeOf = (error: unknown): number | undefined =>
  error instanceof DiscordAPIError ? Number(error.code) : undefined

/** A route may hold an interaction's token, which is a secret for a quarter of an hour. */
const known = (error: unknown): string => {
  if (error instanceof DiscordAPIError)
    return `Discord says ${error.status}, code ${error.code}: ${error.rawError && 'message' in error.rawError ? error.rawError.message : ''}`
  if (error instanceof HTTPError) return `Discord says ${error.status}`
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'
}

const common: Partial<RESTOptions> = {
  version: '10',
  rejectOnRateLimit: () => true,
  // The client's own undici sends by whichever agent the process has for all; the newer one that Slack's library brings
  // knows nothing of its forms, so no file would ever arrive.
  makeRequest: (address, init) => fetch(address, init as unknown as RequestInit) as unknown as Promise<ResponseLike>,
}

/** Discord's REST by the real client, with what it takes to trust it: no waiting in memory, no retries of its own, and a token that one 401 does not lose. */
export function createApi(options: { token: string | undefined; url: string; log: Log }) {
  const { token, url, log } = options
  // What waits for Discord waits in the outbox, which survives; the client would wait in memory, and send twice after a 500.
  const rest = new REST({ ...common, api: url, retries: 0, timeout: 10_000 })
  // An acknowledgement has three seconds in all, and a second one does no harm.
  const quick = new REST({ ...common, api: url, retries: 2, timeout: 1500 })
  let told = -Infinity

  const pack = (body: unknown, files?: Rendered['files']) => ({ body, ...(files && files.length > 0 ? { files } : {}) })

  return {
    /** With the bot's token. @throws DiscordAPIError and what else the client throws */
    async bot(verb: Verb, route: RouteLike, body?: unknown, files?: Rendered['files']): Promise<unknown> {
      if (!token) throw new Undelivered('DISCORD_TOKEN is missing, so DCM cannot write to anybody by itself')
      // The client forgets its token at the first 401, whatever that was about (discord.js issue 9196).
      rest.setToken(token)
      try {
        return await rest[verb](route, pack(body, files))
      } catch (error) {
        if (error instanceof DiscordAPIError && error.status === 401 && performance.now() - told > untrusted) {
          told = performance.now()
          log.error(
            { variable: 'DISCORD_TOKEN' },
            'Discord does not accept DISCORD_TOKEN; set it anew and start DCM again',
          )
        }
        throw error
      }
    },
    /** With an interaction's own token, which is part of the route. */
    open: (verb: Verb, route: RouteLike, body?: unknown, files?: Rendered['files']): Promise<unknown> =>
      rest[verb](route, { ...pack(body, files), auth: false }),
    /** An acknowledgement. */
    callback: (route: RouteLike, body: unknown): Promise<unknown> => quick.post(route, { body, auth: false }),
    known,
    /** What a failure means for a message that is owed: later, never, or unknown. */
    meaning(error: unknown): unknown {
      if (error instanceof Undelivered) return error
      if (error instanceof RateLimitError)
        return new Undelivered('Discord asks to wait', Math.max(error.retryAfter, 100), error)
      if (error instanceof DiscordAPIError) {
        if (error.status === 401) return new Undelivered('Discord does not accept DISCORD_TOKEN', untrusted)
        if (error.status === 429) return new Undelivered('Discord asks to wait', 5000)
        return new Undelivered(known(error))
      }
      return new Error(known(error))
    },
    stop() {
      for (const one of [rest, quick]) {
        one.clearHashSweeper()
        one.clearHandlerSweeper()
      }
    },
  }
}
