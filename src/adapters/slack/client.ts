import { webApi } from '@slack/bolt'
import type { Chat } from '../../core/chat/chat.ts'
import { Undelivered } from '../../core/chat/outlet.ts'

/** What is kept of an installation. */
export type Installation = { botToken: string; botUserId?: string; botId?: string }

/** Milliseconds that one call to Slack may take. Its client would wait for ever, and try ten times. */
const patience = 10_000

export const clientOptions = (apiUrl: string) => ({
  slackApiUrl: apiUrl,
  timeout: patience,
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
})

/** A client that fails fast and says why; whoever uses it decides about trying again. */
export const createClient = (token: string | undefined, apiUrl: string): webApi.WebClient =>
  new webApi.WebClient(token, clientOptions(apiUrl))

/** Errors after which the same call can never work (docs.slack.dev, each method's list). */
const final = new Set([
  'channel_not_found',
  'is_archived',
  'user_not_found',
  'user_disabled',
  'user_not_visible',
  'cannot_dm_bot',
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
  'restricted_action',
  'not_in_channel',
  'user_not_in_channel',
  'messages_tab_disabled',
  'no_text',
  'invalid_blocks',
  'msg_too_long',
  'invalid_arguments',
])

/** Errors that end when the app is installed anew. */
export const tokenErrors = new Set([
  'invalid_auth',
  'not_authed',
  'token_revoked',
  'token_expired',
  'account_inactive',
  'missing_scope',
])

/** Slack's own word for what went wrong, where there is one. */
export const errorOf = (error: unknown): string | undefined =>
  error instanceof webApi.WebAPIPlatformError ? error.data.error : undefined

/** Turns what the client threw into what the outbox understands. */
export function undelivered(error: unknown): unknown {
  if (error instanceof webApi.WebAPIRateLimitedError)
    return new Undelivered('Slack asks to wait.', Math.max(1, error.retryAfter) * 1000, error, true)
  if (error instanceof webApi.WebAPIHTTPError) {
    const wait = Number(error.headers['retry-after'])
    return new Undelivered(
      `Slack answered ${error.statusCode}.`,
      error.statusCode === 429 && wait > 0 ? wait * 1000 : 5000,
      error,
      error.statusCode === 429,
    )
  }
  const code = errorOf(error)
  if (code === undefined) return error
  if (tokenErrors.has(code)) return new Undelivered(`Slack does not take the token: ${code}.`, 60_000, error)
  if (code === 'ratelimited') return new Undelivered('Slack asks to wait.', 30_000, error, true)
  return final.has(code)
    ? new Undelivered(`Slack refuses: ${code}.`, undefined, error)
    : new Undelivered(`Slack refuses for now: ${code}.`, 10_000, error)
}

/** The installations that this process has seen: a cache that is read again after a minute. */
export function createTokens(chat: Chat, apiUrl: string) {
  const cache = new Map<string, { installation: Installation | undefined; until: number }>()
  return {
    forget: (scope: string) => void cache.delete(scope),
    /** What is known at this moment, without asking anyone: for what must not wait. */
    known: (scope: string): Installation | undefined => cache.get(scope)?.installation,
    async of(scope: string): Promise<Installation | undefined> {
      const held = cache.get(scope)
      if (held && held.until > performance.now()) return held.installation
      const found = await chat.installation('slack', scope)
      const installation = found?.secret && !found.cut ? (JSON.parse(found.secret) as Installation) : undefined
      cache.set(scope, { installation, until: performance.now() + 60_000 })
      return installation
    },
    /** @throws Undelivered where the app is not installed */
    async client(scope: string): Promise<webApi.WebClient> {
      const installation = await this.of(scope)
      if (!installation) throw new Undelivered(`The app is not installed in ${scope}.`, 60_000)
      return createClient(installation.botToken, apiUrl)
    },
  }
}

export type Tokens = ReturnType<typeof createTokens>
