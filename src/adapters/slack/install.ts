import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Chat } from '../../core/chat/chat.ts'
import type { Log } from '../../core/model/log.ts'
import { createClient, type Installation, type Tokens } from './client.ts'
import { tenantOf } from './tenant.ts'

/** What the bot asks for, and nothing else; `slack/manifest.yaml` says the same. */
export const scopes = [
  'app_mentions:read',
  'chat:write',
  'commands',
  'files:read',
  'files:write',
  'im:history',
  'im:write',
  'users:read',
] as const

const cookie = 'dcm_slack_state'
const life = 600

const page = (status: number, words: string, headers: Record<string, string> = {}) =>
  new Response(`<!doctype html><meta charset="utf-8"><title>DCM</title><p>${words}</p>`, {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'",
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
  })

export type InstallDeps = {
  chat: Chat
  tokens: Tokens
  log: Log
  clientId: string
  clientSecret: string
  apiUrl: string
  authorizeUrl: string
  publicUrl: string
  now: () => number
}

/**
 * Puts the app into a workspace or organisation by OAuth 2.0 (RFC 6749 section 4.1, docs.slack.dev installing-with-oauth).
 * The state is signed, short-lived and bound to the browser by a cookie, so that nobody can finish what another began.
 */
export function createInstall(deps: InstallDeps) {
  const { chat, tokens, log, clientId, clientSecret } = deps
  const base = deps.publicUrl.replace(/\/$/, '')
  const redirect = `${base}/slack/oauth_redirect`
  const secure = base.startsWith('https:') ? '; Secure' : ''
  const sign = (body: string) =>
    createHmac('sha256', clientSecret).update(`dcm-slack-state:${body}`).digest('base64url')
  const set = (value: string, age: number) =>
    `${cookie}=${value}; Path=/slack; HttpOnly; SameSite=Lax; Max-Age=${age}${secure}`
  const same = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

  function begin(): Response {
    const body = `${Math.floor(deps.now() / 1000)}.${randomBytes(18).toString('base64url')}`
    const state = `${body}.${sign(body)}`
    const to = new URL(deps.authorizeUrl)
    to.searchParams.set('client_id', clientId)
    to.searchParams.set('scope', scopes.join(','))
    to.searchParams.set('redirect_uri', redirect)
    to.searchParams.set('state', state)
    return new Response(null, {
      status: 302,
      headers: {
        Location: to.href,
        'Set-Cookie': set(state, life),
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'no-referrer',
      },
    })
  }

  function stateHolds(state: string, request: Request): boolean {
    const [at, nonce, mac, more] = state.split('.')
    if (!at || !nonce || !mac || more !== undefined || !/^\d{9,11}$/.test(at)) return false
    const held = (request.headers.get('cookie') ?? '')
      .split(/;\s*/)
      .find((one) => one.startsWith(`${cookie}=`))
      ?.slice(cookie.length + 1)
    const age = deps.now() / 1000 - Number(at)
    return held !== undefined && same(held, state) && same(mac, sign(`${at}.${nonce}`)) && age >= -5 && age <= life
  }

  async function finish(request: Request): Promise<Response> {
    const query = new URL(request.url).searchParams
    const clear = { 'Set-Cookie': set('', 0) }
    if (!stateHolds(query.get('state') ?? '', request))
      return page(400, 'This did not begin in this browser, or too long ago. Open /slack/install again.', clear)
    if (query.get('error')) return page(400, 'Slack says that it was not allowed. Nothing was installed.', clear)
    try {
      const got = await createClient(undefined, deps.apiUrl).oauth.v2.access({
        client_id: clientId,
        client_secret: clientSecret,
        code: query.get('code') ?? '',
        redirect_uri: redirect,
      })
      const scope = tenantOf({
        teamId: got.team?.id,
        enterpriseId: got.enterprise?.id,
        orgInstall: got.is_enterprise_install === true,
      })
      if (!scope || !got.access_token) return page(502, 'Slack gave no token. Open /slack/install again.', clear)
      const missing = scopes.filter((one) => !(got.scope ?? '').split(',').includes(one))
      if (missing.length > 0)
        return page(400, `Slack did not give the scopes ${missing.join(', ')}. Nothing was installed.`, clear)
      const installation: Installation = {
        botToken: got.access_token,
        ...(got.bot_user_id ? { botUserId: got.bot_user_id } : {}),
      }
      await chat.installed('slack', scope, JSON.stringify(installation))
      tokens.forget(scope)
      await tokens.of(scope)
      log.info({ platform: 'slack', scope }, 'the app was installed')
      return page(200, 'DCM is in your workspace now. In Slack, type /dcm link.', clear)
    } catch (err) {
      log.warn({ err }, 'an installation could not be finished')
      return page(502, 'Slack did not accept it. Open /slack/install again.', clear)
    }
  }

  return (request: Request): Promise<Response> | Response => {
    if (request.method !== 'GET') return page(405, 'GET only.')
    return new URL(request.url).pathname.endsWith('/slack/install') ? begin() : finish(request)
  }
}
