import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { checkBlocks, checkView } from './blocks.ts'

type Part = Record<string, unknown>
const part = (value: unknown): Part => (typeof value === 'object' && value !== null ? (value as Part) : {})

/** A message as a person sees it; `to` is the only one who does, when it is ephemeral. */
export type Message = {
  channel: string
  ts: string
  text: string
  blocks: Part[]
  to: string | null
  edits: number
  by: 'response_url' | 'api'
  team: string
}

/** What came of one delivery to the app. */
export type Delivery = { status: number; body: string; ms: number; trigger: string; url: string; id: string }

export type Person = { id: string; name: string; team: string; deleted?: boolean }
type Installed = {
  team: string
  enterprise: string | null
  org: boolean
  scopes: string[]
  botUser: string
  revoked: boolean
}
type Url = {
  channel: string
  user: string
  team: string
  uses: number
  until: number
  source: Message | null
  slash: boolean
  last: Message | null
}
type Fault = {
  /** A method, `response_url`, or `*`. */ method: string
  times: number
  status?: number
  error?: string
  retryAfter?: number
  hang?: true
  reset?: true
  after?: true
}

/** What each method needs of the token (docs.slack.dev, reference/methods). Others are not offered here. */
const needs: Record<string, string | null> = {
  'auth.test': null,
  'chat.postMessage': 'chat:write',
  'chat.update': 'chat:write',
  'chat.postEphemeral': 'chat:write',
  'conversations.open': 'im:write',
  'views.open': null,
  'views.update': null,
  'views.publish': null,
  'files.getUploadURLExternal': 'files:write',
  'files.completeUploadExternal': 'files:write',
}

/** Events and what a token must have for the app to get them. */
const eventNeeds: Record<string, string | null> = {
  app_mention: 'app_mentions:read',
  message: 'im:history',
  app_home_opened: null,
  app_uninstalled: null,
  tokens_revoked: null,
  user_change: 'users:read',
}

export const allScopes = [
  'app_mentions:read',
  'chat:write',
  'commands',
  'files:read',
  'files:write',
  'im:history',
  'im:write',
  'users:read',
]

/** A value as text, where it is some. */
const str = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''

const id = (prefix: string) => prefix + randomBytes(5).toString('hex').toUpperCase()

/**
 * A local Slack: Web API, signed HTTP deliveries, Socket Mode, OAuth and response URLs, with the limits, windows, scopes
 * and checks that the real one has. `violations` says what an app did that Slack would not have borne.
 */
export async function createSlackStandIn() {
  const app = {
    clientId: '111.222',
    clientSecret: randomBytes(16).toString('hex'),
    signingSecret: randomBytes(16).toString('hex'),
    appToken: `xapp-1-${id('A')}-1-${randomBytes(8).toString('hex')}`,
    id: id('A'),
  }
  const tokens = new Map<string, Installed>()
  const codes = new Map<
    string,
    { team: string; enterprise: string | null; org: boolean; redirect: string; used: boolean; scopes: string[] }
  >()
  /** Milliseconds that Slack waits for an acknowledgement. */
  const limits = { patience: 3000 }
  const messages: Message[] = []
  const urls = new Map<string, Url>()
  const triggers = new Map<string, { until: number; used: boolean }>()
  const views = new Map<string, Part & { id: string; hash: string; user: string; team: string }>()
  const homes = new Map<string, Part>()
  const files: { channel: string; name: string; content: Buffer }[] = []
  /** What people have sent, as Slack keeps it: for whoever shows a token that may read files. */
  const kept = new Map<string, Buffer>()
  const uploads = new Map<string, { id: string; name: string; length: number; content: Buffer | null }>()
  const violations: string[] = []
  const calls: { method: string; token: string | null; args: Part; at: number }[] = []
  const faults: Fault[] = []
  const pauses = new Map<string, number>()
  const sockets = new Set<{ socket: WebSocket; waiting: Map<string, (payload: unknown) => void> }>()
  const open = new Set<ServerResponse>()
  let skew = 0
  let ticks = 0
  let deliver: (request: Request) => Promise<Response> = () => Promise.reject(new Error('no app is connected'))
  let mode: 'http' | 'socket' = 'http'
  const now = () => Date.now() + skew
  const stamp = () => `${Math.floor(now() / 1000)}.${String(++ticks).padStart(6, '0')}`

  const bad = (words: string) => void violations.push(words)

  function record(message: Omit<Message, 'ts' | 'edits'>): Message {
    const one = { ...message, ts: stamp(), edits: 0 }
    messages.push(one)
    return one
  }

  const mentions = (text: string) => /<!(?:channel|here|everyone)|<@[UW]|<!subteam/.test(text)

  /** Checks what is to be shown. @returns Slack's error, if it has one */
  function check(content: Part): string | undefined {
    const blocks = content['blocks'] === undefined ? undefined : listOf(content['blocks'])
    if (blocks === undefined && (typeof content['text'] !== 'string' || content['text'] === '')) return 'no_text'
    if (typeof content['text'] === 'string' && content['text'].length > 40_000) return 'msg_too_long'
    if (blocks !== undefined) {
      const wrong = checkBlocks(blocks, 'message')
      if (wrong.length > 0) {
        bad(`invalid blocks: ${wrong.join('; ')}`)
        return 'invalid_blocks'
      }
    }
    if (typeof content['text'] === 'string' && mentions(content['text']))
      bad(`a mention gets through: ${content['text']}`)
    return undefined
  }

  const listOf = (value: unknown): Part[] =>
    typeof value === 'string' ? (JSON.parse(value) as Part[]) : Array.isArray(value) ? (value as Part[]) : []

  function api(method: string, args: Part, installed: Installed | undefined, token: string | null): Part {
    const team = installed?.team ?? ''
    switch (method) {
      case 'auth.test':
        return {
          ok: true,
          url: 'https://example.slack.com/',
          team: team,
          user: 'dcm',
          team_id: installed!.org ? undefined : team,
          user_id: installed!.botUser,
          bot_id: `B${installed!.botUser.slice(1)}`,
          enterprise_id: installed!.enterprise ?? undefined,
          is_enterprise_install: installed!.org,
        }
      case 'conversations.open': {
        const user = str(args['users'])
        if (people.get(user)?.deleted) return { ok: false, error: 'user_disabled' }
        return people.has(user) ? { ok: true, channel: { id: `D${user}` } } : { ok: false, error: 'user_not_found' }
      }
      case 'chat.postMessage': {
        const error = check(args)
        const channel = str(args['channel'])
        if (error) return { ok: false, error }
        if (!/^[CDG]/.test(channel)) return { ok: false, error: 'channel_not_found' }
        if (/^[CG]/.test(channel) && !joined.has(channel)) return { ok: false, error: 'not_in_channel' }
        const message = record({
          channel,
          text: str(args['text']),
          blocks: listOf(args['blocks']),
          to: null,
          by: 'api',
          team,
        })
        return { ok: true, channel, ts: message.ts, message: { text: message.text, ts: message.ts } }
      }
      case 'chat.update': {
        const message = messages.find(
          (one) => one.ts === args['ts'] && one.channel === args['channel'] && one.to === null && one.by === 'api',
        )
        if (!message) return { ok: false, error: 'message_not_found' }
        const error = check(args)
        if (error) return { ok: false, error }
        Object.assign(message, { text: str(args['text']), blocks: listOf(args['blocks']), edits: message.edits + 1 })
        return { ok: true, channel: message.channel, ts: message.ts, text: message.text }
      }
      case 'chat.postEphemeral': {
        const error = check(args)
        if (error) return { ok: false, error }
        const channel = str(args['channel'])
        if (!joined.has(channel)) return { ok: false, error: 'not_in_channel' }
        const message = record({
          channel,
          text: str(args['text']),
          blocks: listOf(args['blocks']),
          to: str(args['user']),
          by: 'api',
          team,
        })
        return { ok: true, message_ts: message.ts }
      }
      case 'views.open': {
        const trigger = triggers.get(str(args['trigger_id']))
        if (!trigger) return { ok: false, error: 'invalid_trigger_id' }
        if (trigger.used) return { ok: false, error: 'exchanged_trigger_id' }
        if (now() > trigger.until) return { ok: false, error: 'expired_trigger_id' }
        trigger.used = true
        const view = typeof args['view'] === 'string' ? (JSON.parse(args['view']) as Part) : part(args['view'])
        const wrong = checkView(view)
        if (wrong.length > 0) {
          bad(`invalid view: ${wrong.join('; ')}`)
          return { ok: false, error: 'invalid_arguments' }
        }
        const stored = { ...view, id: id('V'), hash: stamp(), user: '', team }
        views.set(stored.id, stored)
        return { ok: true, view: { id: stored.id, hash: stored.hash } }
      }
      case 'views.publish': {
        const view = typeof args['view'] === 'string' ? (JSON.parse(args['view']) as Part) : part(args['view'])
        const wrong = checkView(view)
        if (wrong.length > 0) {
          bad(`invalid home: ${wrong.join('; ')}`)
          return { ok: false, error: 'invalid_arguments' }
        }
        homes.set(str(args['user_id']), view)
        return { ok: true, view: { id: id('V') } }
      }
      case 'files.getUploadURLExternal': {
        const one = { id: id('F'), name: str(args['filename']), length: Number(args['length']), content: null }
        if (!one.name || !(one.length > 0)) return { ok: false, error: 'invalid_arguments' }
        uploads.set(one.id, one)
        return { ok: true, file_id: one.id, upload_url: `${base}/upload/${one.id}` }
      }
      case 'files.completeUploadExternal': {
        const done = listOf(args['files'])
        for (const file of done) {
          const one = uploads.get(String(file['id']))
          if (!one?.content) return { ok: false, error: 'file_not_found' }
          if (one.content.length !== one.length) return { ok: false, error: 'file_update_failed' }
          files.push({ channel: str(args['channel_id']), name: one.name, content: one.content })
        }
        return { ok: true, files: done }
      }
      case 'oauth.v2.access': {
        const code = codes.get(str(args['code']))
        if (args['client_id'] !== app.clientId || args['client_secret'] !== app.clientSecret)
          return { ok: false, error: 'bad_client_secret' }
        if (!code || code.used) return { ok: false, error: 'invalid_code' }
        code.used = true
        if (code.redirect !== args['redirect_uri']) return { ok: false, error: 'bad_redirect_uri' }
        const made = install(code.team, { enterprise: code.enterprise, org: code.org, scopes: code.scopes })
        return {
          ok: true,
          access_token: made,
          token_type: 'bot',
          scope: code.scopes.join(','),
          bot_user_id: tokens.get(made)!.botUser,
          app_id: app.id,
          team: code.org ? null : { id: code.team, name: code.team },
          enterprise: code.enterprise ? { id: code.enterprise, name: code.enterprise } : null,
          is_enterprise_install: code.org,
        }
      }
      case 'apps.connections.open':
        return token === app.appToken
          ? { ok: true, url: `${base.replace('http', 'ws')}/link?ticket=${tickets()}` }
          : { ok: false, error: 'invalid_auth' }
      default:
        bad(`unknown method ${method}`)
        return { ok: false, error: 'unknown_method' }
    }
  }

  const openTickets = new Set<string>()
  const tickets = () => {
    const ticket = randomBytes(8).toString('hex')
    openTickets.add(ticket)
    return ticket
  }

  function install(
    team: string,
    options: { enterprise?: string | null; org?: boolean; scopes?: string[] } = {},
  ): string {
    const token = `xoxb-${randomBytes(12).toString('hex')}`
    tokens.set(token, {
      team,
      enterprise: options.enterprise ?? null,
      org: options.org ?? false,
      scopes: options.scopes ?? allScopes,
      botUser: id('U'),
      revoked: false,
    })
    return token
  }

  const people = new Map<string, Person>()
  const joined = new Set<string>()

  /** The body of a POST, as JSON or a form. */
  async function read(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  const send = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) => {
    response.writeHead(status, {
      'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
      ...headers,
    })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  /** @returns whether a fault took the request; one with `after` lets the work be done and then breaks the answer */
  function strike(method: string, request: IncomingMessage, response: ServerResponse): boolean {
    const fault = faults.find((one) => one.times > 0 && (one.method === method || one.method === '*'))
    if (!fault) return false
    fault.times--
    if (fault.hang) {
      open.add(response)
      return true
    }
    if (fault.reset) {
      request.socket.resetAndDestroy()
      return true
    }
    if (fault.retryAfter !== undefined) pauses.set(method, now() + fault.retryAfter * 1000)
    const headers: Record<string, string> =
      fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }
    send(response, fault.status ?? 200, fault.error ? { ok: false, error: fault.error } : { ok: false }, headers)
    return true
  }

  async function webApi(method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = (await read(request)).toString('utf8')
    const type = request.headers['content-type'] ?? ''
    const args = type.includes('json')
      ? part(JSON.parse(raw || '{}'))
      : (Object.fromEntries(new URLSearchParams(raw)) as Part)
    const token =
      /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ??
      (typeof args['token'] === 'string' ? args['token'] : null)
    calls.push({ method, token, args, at: now() })
    const until = pauses.get(method)
    if (until !== undefined && now() < until)
      bad(`${method} was tried again ${Math.ceil((until - now()) / 1000)} s before Retry-After was over`)
    const after = faults.find((one) => one.times > 0 && one.after && one.method === method)
    if (!after && strike(method, request, response)) return
    if (method in needs) {
      const installed = token ? tokens.get(token) : undefined
      if (!token) return send(response, 200, { ok: false, error: 'not_authed' })
      if (!installed) return send(response, 200, { ok: false, error: 'invalid_auth' })
      if (installed.revoked) return send(response, 200, { ok: false, error: 'token_revoked' })
      const need = needs[method]
      if (need && !installed.scopes.includes(need)) {
        bad(`${method} without the scope ${need}`)
        return send(response, 200, {
          ok: false,
          error: 'missing_scope',
          needed: need,
          provided: installed.scopes.join(','),
        })
      }
      used.add(need ?? '')
    }
    const result = api(method, args, token ? tokens.get(token) : undefined, token)
    if (after) {
      after.times--
      return request.socket.resetAndDestroy() as unknown as void
    }
    send(response, 200, result)
  }

  const used = new Set<string>()

  async function respondUrl(key: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = (await read(request)).toString('utf8')
    const url = urls.get(key)
    calls.push({ method: 'response_url', token: null, args: part(JSON.parse(raw || '{}')), at: now() })
    const until = pauses.get('response_url')
    if (until !== undefined && now() < until) bad('a response URL was tried again before Retry-After was over')
    const after = faults.find((one) => one.times > 0 && one.after && one.method === 'response_url')
    if (!after && strike('response_url', request, response)) return
    if (!url) return send(response, 404, 'no_such_url')
    if (now() > url.until) return send(response, 404, { ok: false, error: 'expired_url' })
    if (url.uses >= 5) return send(response, 404, { ok: false, error: 'used_url' })
    const content = part(JSON.parse(raw))
    const error = check(content)
    if (error) return send(response, 400, error)
    url.uses++
    const blocks = listOf(content['blocks'])
    const text = str(content['text'])
    if (content['replace_original'] === true && url.source)
      Object.assign(url.source, { text, blocks, edits: url.source.edits + 1 })
    // The response URL of a slash command replaces nothing: what is sent is one more message.
    else
      url.last = record({
        channel: url.channel,
        text,
        blocks,
        to: content['response_type'] === 'in_channel' ? null : url.user,
        by: 'response_url',
        team: url.team,
      })
    if (after) {
      after.times--
      request.socket.resetAndDestroy()
      return
    }
    send(response, 200, 'ok')
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', base)
    const work = async () => {
      if (url.pathname.startsWith('/api/') && request.method === 'POST')
        return webApi(url.pathname.slice(5), request, response)
      if (url.pathname.startsWith('/hook/')) return respondUrl(url.pathname.slice(6), request, response)
      if (url.pathname.startsWith('/files-pri/')) {
        const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
        const installed = tokens.get(token)
        const content = kept.get(url.pathname)
        // Who may not read it is sent to the page to log in, as by the real one.
        if (!installed?.scopes.includes('files:read') || installed.revoked || !content) {
          response.writeHead(302, { location: `${base}/login` }).end()
          return
        }
        used.add('files:read')
        response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length })
        return void response.end(content)
      }
      if (url.pathname.startsWith('/upload/')) {
        const one = uploads.get(url.pathname.slice(8))
        if (!one) return send(response, 404, 'no such upload')
        one.content = await read(request)
        return send(response, 200, 'OK')
      }
      return send(response, 404, 'nothing here')
    }
    work().catch((error: unknown) => send(response, 500, String(error)))
  })
  // A client that reuses a connection just as it is closed for idleness sees a lost answer: that is a fault of its own here.
  server.keepAliveTimeout = 120_000
  const linked = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, stream, head) => {
    const ticket = new URL(request.url ?? '/', base).searchParams.get('ticket') ?? ''
    if (!openTickets.delete(ticket)) return void stream.destroy()
    linked.handleUpgrade(request, stream, head, (socket) => {
      const one = { socket, waiting: new Map<string, (payload: unknown) => void>() }
      sockets.add(one)
      socket.on('close', () => sockets.delete(one))
      socket.on('error', () => sockets.delete(one))
      socket.on('message', (data) => {
        const said = part(JSON.parse((data as Buffer).toString('utf8')))
        one.waiting.get(String(said['envelope_id']))?.(said['payload'])
      })
      socket.send(
        JSON.stringify({
          type: 'hello',
          num_connections: sockets.size,
          connection_info: { app_id: app.id },
          debug_info: { host: 'stand-in', approximate_connection_time: 60 },
        }),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const sign = (body: string, at: number, secret = app.signingSecret) =>
    `v0=${createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')}`

  type Extra = {
    retry?: number
    reason?: string
    at?: number
    secret?: string
    headers?: Record<string, string>
    type?: string
    raw?: string
  }

  /** Posts a body to the app, signed, and watches how long the answer takes. */
  async function post(
    body: string,
    type: string,
    extra: Extra = {},
  ): Promise<{ status: number; body: string; ms: number }> {
    const at = extra.at ?? Math.floor(now() / 1000)
    const headers: Record<string, string> = {
      'content-type': extra.type ?? type,
      'x-slack-request-timestamp': String(at),
      'x-slack-signature': sign(body, at, extra.secret),
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      ...(extra.retry === undefined
        ? {}
        : { 'x-slack-retry-num': String(extra.retry), 'x-slack-retry-reason': extra.reason ?? 'http_timeout' }),
      ...extra.headers,
    }
    const began = performance.now()
    const response = await deliver(
      new Request('http://dcm.local/slack/events', { method: 'POST', headers, body: extra.raw ?? body }),
    )
    const text = await response.text()
    const ms = performance.now() - began
    if (ms > limits.patience) bad(`acknowledged after ${Math.round(ms)} ms`)
    return { status: response.status, body: text, ms }
  }

  /** Sends over the socket, and again to another connection when it is not acknowledged in time. */
  async function overSocket(
    kind: string,
    payload: Part,
    extra: Extra = {},
  ): Promise<{ status: number; body: string; ms: number }> {
    const began = performance.now()
    for (let tries = extra.retry ?? 0; tries < 4; tries++) {
      const one = [...sockets].at(-1)
      if (!one) {
        // Nobody is there: a slash command fails at once, an event is tried again.
        if (kind === 'slash_commands' || kind === 'interactive')
          return { status: 0, body: 'dispatch_failed', ms: performance.now() - began }
        await new Promise((resolve) => setTimeout(resolve, 200))
        continue
      }
      const envelope = randomBytes(8).toString('hex')
      const acked = new Promise<unknown>((resolve) => one.waiting.set(envelope, resolve))
      one.socket.send(
        JSON.stringify({
          envelope_id: envelope,
          type: kind,
          accepts_response_payload: kind !== 'events_api',
          payload,
          ...(kind === 'events_api' ? { retry_attempt: tries, retry_reason: tries > 0 ? 'timeout' : '' } : {}),
        }),
      )
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), limits.patience)))
      const answer = await Promise.race([acked, late])
      clearTimeout(timer)
      one.waiting.delete(envelope)
      if (answer !== 'late')
        return {
          status: 200,
          body: answer === undefined ? '' : typeof answer === 'string' ? answer : JSON.stringify(answer),
          ms: performance.now() - began,
        }
      bad(`an envelope of ${kind} was not acknowledged in 3 s`)
      if (kind !== 'events_api') return { status: 0, body: 'operation_timeout', ms: performance.now() - began }
    }
    return { status: 0, body: 'gave up', ms: performance.now() - began }
  }

  const trigger = () => {
    const one = `${Math.floor(now())}.${randomBytes(6).toString('hex')}`
    triggers.set(one, { until: now() + 3000, used: false })
    return one
  }

  const urlFor = (given: Omit<Url, 'uses' | 'until' | 'last'>) => {
    const key = randomBytes(12).toString('hex')
    urls.set(key, { ...given, uses: 0, until: now() + 30 * 60_000, last: null })
    return `${base}/hook/${key}`
  }

  const tenant = (person: Person) =>
    [...tokens.values()].find((one) => one.team === person.team) ?? [...tokens.values()].find((one) => one.org)

  type Where = { channel?: string; channelName?: string }

  /** The body of a slash command, for those who want to send it more than once or spoil it. */
  function commandBody(
    person: Person,
    text: string,
    where: Where & { overrides?: Record<string, string> } = {},
  ): { body: string; trigger: string; url: string } {
    const channel = where.channel ?? 'C1'
    const installed = tenant(person)
    const [trig, url] = [trigger(), urlFor({ channel, user: person.id, team: person.team, source: null, slash: true })]
    const form = new URLSearchParams({
      token: 'legacy',
      team_id: person.team,
      team_domain: 'example',
      ...(installed?.enterprise ? { enterprise_id: installed.enterprise, enterprise_name: 'Example' } : {}),
      channel_id: channel,
      channel_name: where.channelName ?? (channel.startsWith('D') ? 'directmessage' : 'general'),
      user_id: person.id,
      user_name: person.name,
      command: '/dcm',
      text,
      api_app_id: app.id,
      is_enterprise_install: String(installed?.org ?? false),
      response_url: url,
      trigger_id: trig,
      ...where.overrides,
    })
    return { body: form.toString(), trigger: trig, url }
  }

  async function command(person: Person, text: string, where: Where & Extra = {}): Promise<Delivery> {
    const made = commandBody(person, text, where)
    const done =
      mode === 'http'
        ? await post(made.body, 'application/x-www-form-urlencoded', where)
        : await overSocket('slash_commands', Object.fromEntries(new URLSearchParams(made.body)), where)
    // What an acknowledgement carries is shown at once, to the one who typed.
    if (done.status === 200 && done.body !== '') {
      const said = done.body.startsWith('{') ? part(JSON.parse(done.body)) : { text: done.body }
      const error = check(said)
      if (!error)
        record({
          channel: where.channel ?? 'C1',
          text: str(said['text']),
          blocks: listOf(said['blocks']),
          to: said['response_type'] === 'in_channel' ? null : person.id,
          by: 'response_url',
          team: person.team,
        })
    }
    if (done.status !== 200)
      record({
        channel: where.channel ?? 'C1',
        text: `/dcm failed because the app did not respond (${done.status})`,
        blocks: [],
        to: person.id,
        by: 'api',
        team: person.team,
      })
    return { ...done, trigger: made.trigger, url: made.url, id: made.trigger }
  }

  function interactive(payload: Part, extra: Extra = {}) {
    return mode === 'http'
      ? post(
          new URLSearchParams({ payload: JSON.stringify(payload) }).toString(),
          'application/x-www-form-urlencoded',
          extra,
        )
      : overSocket('interactive', payload, extra)
  }

  const who = (person: Person) => ({ id: person.id, username: person.name, name: person.name, team_id: person.team })

  function envelopeOf(person: Person, workspace = person.team): Part {
    const installed = [...tokens.values()].find((one) => one.team === workspace) ?? tenant(person)
    return {
      team: installed?.org ? null : { id: workspace, domain: 'example' },
      enterprise: installed?.enterprise ? { id: installed.enterprise, name: 'Example' } : null,
      is_enterprise_install: installed?.org ?? false,
      user: who(person),
      api_app_id: app.id,
      token: 'legacy',
    }
  }

  function actionBody(
    person: Person,
    source: { message?: Message; view?: Part; workspace?: string },
    action: { action_id: string; value?: string },
    trig = trigger(),
  ): Part {
    const { message } = source
    return {
      ...envelopeOf(person, source.workspace ?? message?.team),
      type: 'block_actions',
      trigger_id: trig,
      ...(message
        ? {
            container: {
              type: 'message',
              message_ts: message.ts,
              channel_id: message.channel,
              is_ephemeral: message.to !== null,
            },
            channel: { id: message.channel, name: 'general' },
            ...(message.to === null ? { message: { ts: message.ts, text: message.text, blocks: message.blocks } } : {}),
            response_url: urlFor({
              channel: message.channel,
              user: person.id,
              team: person.team,
              source: message,
              slash: false,
            }),
          }
        : { container: { type: 'view', view_id: 'V0' }, view: { ...source.view, app_installed_team_id: person.team } }),
      actions: [{ type: 'button', block_id: 'b', action_ts: stamp(), ...action }],
    }
  }

  /** All buttons on a message or view, as a person sees them. */
  const buttonsOf = (from: {
    blocks?: unknown
  }): { action_id: string; value: string; label: string; style?: string; confirm?: Part }[] =>
    listOf(from.blocks)
      .filter((block) => block['type'] === 'actions')
      .flatMap((block) => listOf(block['elements']))
      .map((one) => ({
        action_id: String(one['action_id']),
        value: String(one['value']),
        label: String(part(one['text'])['text']),
        ...(one['style'] ? { style: str(one['style']) } : {}),
        ...(one['confirm'] ? { confirm: part(one['confirm']) } : {}),
      }))

  async function press(person: Person, source: Message | Part, label: string, extra: Extra = {}): Promise<Delivery> {
    const message = 'ts' in source ? (source as Message) : undefined
    const found = buttonsOf(source).find((one) => one.label === label)
    if (!found)
      throw new Error(
        `there is no button ${label}, only ${buttonsOf(source)
          .map((one) => one.label)
          .join(', ')}`,
      )
    const trig = trigger()
    const done = await interactive(
      actionBody(
        person,
        message ? { message } : { view: source as Part },
        { action_id: found.action_id, value: found.value },
        trig,
      ),
      extra,
    )
    return { ...done, trigger: trig, url: '', id: trig }
  }

  async function event(
    person: Person,
    kind: string,
    fields: Part,
    extra: Extra & { id?: string; workspace?: string; time?: number } = {},
  ): Promise<Delivery> {
    const workspace = extra.workspace ?? person.team
    const installed = [...tokens.values()].find((one) => one.team === workspace) ?? tenant(person)
    const need = eventNeeds[kind]
    if (need === undefined) throw new Error(`unknown event ${kind}`)
    const eventId = extra.id ?? id('Ev')
    if (need && !installed?.scopes.includes(need))
      return { status: 0, body: 'not subscribed', ms: 0, trigger: '', url: '', id: eventId }
    if (need) used.add(need)
    const payload = {
      token: 'legacy',
      type: 'event_callback',
      team_id: workspace,
      ...(installed?.enterprise ? { enterprise_id: installed.enterprise } : {}),
      context_team_id: workspace,
      api_app_id: app.id,
      event: { type: kind, ...fields, event_ts: stamp() },
      event_id: eventId,
      event_time: extra.time ?? Math.floor(now() / 1000),
      authorizations: [
        {
          enterprise_id: installed?.enterprise ?? null,
          team_id: installed?.org ? null : workspace,
          user_id: installed?.botUser ?? 'UBOT',
          is_bot: true,
          is_enterprise_install: installed?.org ?? false,
        },
      ],
      is_ext_shared_channel: person.team !== workspace,
    }
    const send = (retry: number | undefined) =>
      mode === 'http'
        ? post(JSON.stringify(payload), 'application/json', { ...extra, ...(retry === undefined ? {} : { retry }) })
        : overSocket('events_api', payload, extra)
    let done = await send(extra.retry)
    // What is not taken is sent again three times (docs.slack.dev, apis/events-api).
    for (let retry = 1; retry <= 3 && done.status !== 200 && extra.retry === undefined; retry++)
      done = await send(retry)
    return { ...done, trigger: '', url: '', id: eventId }
  }

  return {
    app,
    limits,
    base,
    apiUrl: `${base}/api/`,
    authorizeUrl: `${base}/oauth/v2/authorize`,
    now,
    messages,
    homes,
    views,
    files,
    calls,
    violations,
    /** Scopes that were really needed so far. */
    used,
    sockets,
    /** Moves its clock. */
    advance: (ms: number) => void (skew += ms),
    install,
    revoke: (token: string) => void (tokens.get(token)!.revoked = true),
    restore: (token: string) => void (tokens.get(token)!.revoked = false),
    person(idOf: string, team = 'T1', name = idOf.toLowerCase()): Person {
      const one = { id: idOf, team, name }
      people.set(idOf, one)
      return one
    },
    deactivate: (person: Person) => void people.set(person.id, { ...person, deleted: true }),
    /** The bot is a member of this channel. */
    join: (channel: string) => void joined.add(channel),
    connect(how: 'http' | 'socket', to?: (request: Request) => Promise<Response> | Response) {
      mode = how
      if (to) deliver = async (request) => to(request)
    },
    fault: (fault: Omit<Fault, 'times'> & { times?: number }) => void faults.push({ times: 1, ...fault }),
    heal() {
      faults.length = 0
      pauses.clear()
      for (const response of open) response.destroy()
      open.clear()
    },
    post,
    sign,
    commandBody,
    command,
    actionBody,
    interactive,
    press,
    buttonsOf,
    event,
    mention: (
      person: Person,
      text: string,
      where: { channel?: string; workspace?: string; id?: string; retry?: number } = {},
    ) =>
      event(
        person,
        'app_mention',
        {
          user: person.id,
          text: `<@UBOT> ${text}`,
          channel: where.channel ?? 'C1',
          ts: stamp(),
          team: person.team,
          ...(where.workspace ? { user_team: person.team, source_team: person.team } : {}),
        },
        where,
      ),
    /** Keeps a file as if a person had sent it. @returns its file object (docs.slack.dev, object "file") */
    keep(name: string, content: Buffer | string): Part {
      const bytes = Buffer.from(content)
      const fileId = id('F')
      const path = `/files-pri/T1-${fileId}/download/${encodeURIComponent(name)}`
      kept.set(path, bytes)
      const url = `${base}${path}`
      return {
        id: fileId,
        name,
        title: name,
        mode: 'hosted',
        size: bytes.length,
        url_private: url,
        url_private_download: url,
      }
    },
    direct: (person: Person, text: string, fields: Part = {}) =>
      event(person, 'message', {
        channel_type: 'im',
        user: person.id,
        text,
        channel: `D${person.id}`,
        ts: stamp(),
        team: person.team,
        ...fields,
      }),
    /** Sends in what somebody put into a form. */
    async submit(
      person: Person,
      view: Part & { id: string; hash: string },
      values: Record<string, string | string[] | null>,
    ): Promise<{ status: number; body: string; ms: number; errors?: Record<string, string> }> {
      const state: Part = {}
      for (const block of listOf(view['blocks']).filter((one) => one['type'] === 'input')) {
        const name = String(block['block_id'])
        const element = part(block['element'])
        const value = values[name] ?? null
        const kind = String(element['type'])
        const initial =
          kind === 'static_select'
            ? (part(element['initial_option'])['value'] as string | undefined)
            : (element['initial_value'] as string | undefined)
        state[name] = {
          value:
            kind === 'checkboxes'
              ? { type: kind, selected_options: Array.isArray(value) ? value.map((one) => ({ value: one })) : [] }
              : kind === 'static_select'
                ? { type: kind, selected_option: (value ?? initial) ? { value: value ?? initial } : null }
                : { type: kind, value: value ?? initial ?? null },
        }
      }
      const { user: _, team: __, ...shown } = view
      const done = await interactive({
        ...envelopeOf(person),
        type: 'view_submission',
        trigger_id: trigger(),
        response_urls: [],
        view: { ...shown, state: { values: state }, app_installed_team_id: person.team },
      })
      const said = done.body.startsWith('{') ? part(JSON.parse(done.body)) : {}
      return {
        ...done,
        ...(said['response_action'] === 'errors' ? { errors: said['errors'] as Record<string, string> } : {}),
      }
    },
    /** What Slack's consent page does when somebody agrees: back to the app with a code. */
    consent(location: string, given: { team: string; enterprise?: string; org?: boolean; scopes?: string[] }): URL {
      const asked = new URL(location)
      if (asked.origin + asked.pathname !== `${base}/oauth/v2/authorize`)
        throw new Error(`not our authorize URL: ${location}`)
      if (asked.searchParams.get('client_id') !== app.clientId) throw new Error('unknown client_id')
      const code = randomBytes(8).toString('hex')
      const redirect = asked.searchParams.get('redirect_uri') ?? ''
      codes.set(code, {
        team: given.team,
        enterprise: given.enterprise ?? null,
        org: given.org ?? false,
        redirect,
        used: false,
        scopes: given.scopes ?? (asked.searchParams.get('scope') ?? '').split(','),
      })
      const back = new URL(redirect)
      back.searchParams.set('code', code)
      back.searchParams.set('state', asked.searchParams.get('state') ?? '')
      return back
    },
    /** Asks the app to reconnect, as Slack does now and then, or cuts the line. */
    refresh: () =>
      sockets.forEach(
        (one) => (
          one.socket.send(
            JSON.stringify({ type: 'disconnect', reason: 'refresh_requested', debug_info: { host: 'stand-in' } }),
          ),
          one.socket.close(1000)
        ),
      ),
    dropSockets: () => sockets.forEach((one) => one.socket.terminate()),
    verify: (body: string, at: number, signature: string) =>
      timingSafeEqual(Buffer.from(sign(body, at)), Buffer.from(signature)),
    async close() {
      for (const response of open) response.destroy()
      for (const one of sockets) one.socket.terminate()
      linked.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type SlackStandIn = Awaited<ReturnType<typeof createSlackStandIn>>
