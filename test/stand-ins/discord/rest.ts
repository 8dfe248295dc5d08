import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkChoices, checkCommands, checkMessage, checkModal, type Fault, formError, type Json } from './limits.ts'
import {
  type Asked,
  directChannel,
  type Interaction,
  type Message,
  messageJson,
  type State,
  userJson,
} from './state.ts'

/** What is done to requests instead of answering them. `after`: it happens, and the answer is lost. */
export type Trouble = {
  when(method: string, path: string): boolean
  /** How many requests; for ever when absent. */
  times?: number
  how:
    | 'reset'
    | 'reset after'
    | 'hang'
    | { status: number; body?: Json; headers?: Record<string, string>; after?: boolean }
}

class Refusal extends Error {
  readonly status: number
  readonly body: Json
  constructor(status: number, body: Json) {
    super(String(body['message']))
    this.status = status
    this.body = body
  }
}

const no = (status: number, code: number, message: string) => new Refusal(status, { message, code })
const tokenLife = 15 * 60_000

type Part = { name: string; bytes: number; text: string }

/** Discord's REST, as far as a bot of slash commands needs it, with its limits. */
export function createRest(state: State) {
  const troubles: Trouble[] = []
  /** Until when a path may not be asked again. */
  const waits = new Map<string, number>()

  /** @throws Refusal */
  function form(faults: Fault[]): void {
    if (faults.length === 0) return
    throw new Refusal(400, formError(faults))
  }

  async function readBody(request: IncomingMessage): Promise<{ body: Json | Json[]; files: Part[] }> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks)
    const type = request.headers['content-type'] ?? ''
    if (raw.length === 0) return { body: {}, files: [] }
    if (!type.startsWith('multipart/')) return { body: JSON.parse(raw.toString()) as Json, files: [] }
    const data = await new Response(new Uint8Array(raw), { headers: { 'content-type': type } }).formData()
    const files: Part[] = []
    let body: Json = {}
    for (const [key, value] of data.entries()) {
      if (key === 'payload_json') body = JSON.parse(typeof value === 'string' ? value : await value.text()) as Json
      else if (typeof value !== 'string') files.push({ name: value.name, bytes: value.size, text: await value.text() })
    }
    return { body, files }
  }

  /** Who would be pinged by a message: what its content says, unless it is forbidden. */
  function notePings(body: Json, where: string): void {
    const { content } = body
    const allowed = body['allowed_mentions'] as { parse?: string[] } | undefined
    if (typeof content !== 'string') return
    const bare = content.replace(/\\[^\w\s]/g, '').replace(/```[\s\S]*?```|`[^`]*`/g, '')
    const pings = /@everyone|@here/.test(bare)
      ? 'everyone'
      : /<@!?\d+>/.test(bare)
        ? 'users'
        : /<@&\d+>/.test(bare)
          ? 'roles'
          : undefined
    if (pings && (allowed?.parse === undefined || allowed.parse.includes(pings)))
      state.violations.push(`${where}: pings ${pings}`)
  }

  function put(message: Message, body: Json, files: Part[]): Message {
    if ('content' in body) message.content = typeof body['content'] === 'string' ? body['content'] : ''
    if ('embeds' in body) message.embeds = (body['embeds'] as Json[] | null) ?? []
    if ('components' in body) message.components = (body['components'] as Json[] | null) ?? []
    if ('attachments' in body || files.length > 0) message.files = files.map(({ name, text }) => ({ name, text }))
    message.thinking = false
    return message
  }

  function make(channel: string, body: Json, files: Part[], only: string | null): Message {
    const message: Message = {
      id: state.id(),
      channel,
      author: state.botId,
      content: '',
      embeds: [],
      components: [],
      files: [],
      only,
      thinking: false,
      deleted: false,
      edits: 0,
      nonce: typeof body['nonce'] === 'string' ? body['nonce'] : undefined,
      repliesTo: (body['message_reference'] as { message_id?: string } | undefined)?.message_id,
    }
    state.messages.set(message.id, put(message, body, files))
    return message
  }

  function edit(message: Message | undefined, body: Json, files: Part[]): Json {
    if (!message || message.deleted) throw no(404, 10008, 'Unknown Message')
    form(checkMessage(body, files, false))
    notePings(body, `edit of ${message.id}`)
    put(message, body, files).edits++
    return messageJson(state, message)
  }

  const allowed: Record<number, number[]> = { 2: [4, 5, 9], 3: [4, 5, 6, 7, 9], 4: [8], 5: [4, 5, 6, 7] }

  /** The first answer to an interaction, however it came. @throws Refusal */
  function answer(interaction: Interaction | undefined, body: Json): void {
    if (!interaction || state.now() - interaction.made > state.patience) throw no(404, 10062, 'Unknown interaction')
    if (interaction.answered !== undefined) throw no(400, 40060, 'Interaction has already been acknowledged.')
    const type = body['type'] as number
    const data = (body['data'] ?? {}) as Json
    const flags = (data['flags'] as number | undefined) ?? 0
    if (!allowed[interaction.type]?.includes(type) || (interaction.type === 5 && type >= 6 && !interaction.source))
      form([{ at: 'type', why: `Type ${type} does not answer an interaction of type ${interaction.type}.` }])
    if (type === 8) form(checkChoices(data))
    if (type === 9) form(checkModal(data))
    if (type === 4 || type === 7) {
      form(checkMessage(data, [], type === 4))
      notePings(data, 'an answer')
    }
    if (type === 5)
      form((flags & ~64) === 0 ? [] : [{ at: 'data.flags', why: 'Only EPHEMERAL is valid in a deferred answer.' }])
    interaction.answered = type
    interaction.data = data
    interaction.ephemeral = (flags & 64) !== 0
    if (type === 4 || type === 5) {
      const message = make(
        interaction.channel,
        type === 4 ? data : {},
        [],
        interaction.ephemeral ? interaction.user : null,
      )
      message.thinking = type === 5
      interaction.original = message.id
    }
    if (type === 6 || type === 7) interaction.original = interaction.source
    if (type === 7) edit(state.messages.get(interaction.source ?? ''), data, [])
    interaction.settle('answered')
  }

  /** @throws Refusal */
  function live(token: string): Interaction {
    const interaction = [...state.interactions.values()].find((one) => one.token === token)
    if (!interaction) throw no(404, 10015, 'Unknown Webhook')
    if (interaction.answered === undefined) throw no(404, 10015, 'Unknown Webhook')
    if (state.now() - interaction.made > tokenLife) throw no(401, 50027, 'Invalid Webhook Token')
    return interaction
  }

  /** @throws Refusal */
  function writable(id: string): void {
    const channel = state.channels.get(id)
    if (!channel) throw no(404, 10003, 'Unknown Channel')
    if (channel.closed) throw no(403, 50001, 'Missing Access')
    if (
      channel.with !== null &&
      ![...state.guilds.values()].some((guild) => guild.members.has(channel.with!) && guild.members.has(state.botId))
    )
      throw no(403, 50007, 'Cannot send messages to this user')
    if (channel.guild !== null && !state.guilds.get(channel.guild)?.members.has(state.botId))
      throw no(403, 50001, 'Missing Access')
  }

  type Turn = { method: string; body: Json | Json[]; files: Part[]; query: URLSearchParams; port: number }
  const routes: [string, RegExp, (turn: Turn, ...parts: string[]) => unknown, 'open'?][] = [
    [
      'GET',
      /^\/gateway\/bot$/,
      ({ port }) => ({
        url: `ws://127.0.0.1:${port}`,
        shards: 1,
        session_start_limit: { total: 1000, remaining: 999, reset_after: 1000, max_concurrency: 1 },
      }),
    ],
    ['GET', /^\/users\/@me$/, () => userJson(state.users.get(state.botId)!)],
    ['GET', /^\/applications\/@me$/, () => ({ id: state.applicationId, name: 'dcm', flags: 0 })],
    ['GET', /^\/applications\/(\d+)\/commands$/, () => state.commands],
    [
      'PUT',
      /^\/applications\/(\d+)\/commands$/,
      ({ body }) => {
        form(checkCommands(body as Json[]))
        const before = new Map(state.commands.map((one) => [one['name'], one['id']]))
        state.commands = (body as Json[]).map((one) => ({
          default_member_permissions: null,
          nsfw: false,
          type: 1,
          integration_types: [0],
          contexts: null,
          ...one,
          id: before.get(one['name']) ?? state.id(),
          application_id: state.applicationId,
          version: state.id(),
          dm_permission: true,
        }))
        return state.commands
      },
    ],
    [
      'POST',
      /^\/interactions\/(\d+)\/([^/]+)\/callback$/,
      ({ body }, id, token) => {
        const interaction = state.interactions.get(id!)
        answer(interaction?.token === token ? interaction : undefined, body as Json)
        return undefined
      },
      'open',
    ],
    [
      'POST',
      /^\/webhooks\/(\d+)\/([^/]+)$/,
      ({ body, files }, _, token) => {
        const interaction = live(token!)
        const given = body as Json
        form(checkMessage(given, files, true))
        notePings(given, 'a follow-up')
        const original = state.messages.get(interaction.original ?? '')
        // The first follow-up after a deferred answer is that answer, and keeps who sees it.
        if (interaction.answered === 5 && original?.thinking) return edit(original, given, files)
        return messageJson(
          state,
          make(
            interaction.channel,
            given,
            files,
            (((given['flags'] as number | undefined) ?? 0) & 64) !== 0 ? interaction.user : null,
          ),
        )
      },
      'open',
    ],
    [
      'PATCH',
      /^\/webhooks\/(\d+)\/([^/]+)\/messages\/([^/]+)$/,
      ({ body, files }, _, token, id) => {
        const interaction = live(token!)
        return edit(state.messages.get(id === '@original' ? (interaction.original ?? '') : id!), body as Json, files)
      },
      'open',
    ],
    [
      'POST',
      /^\/users\/@me\/channels$/,
      ({ body }) => ({ id: directChannel(state, String((body as Json)['recipient_id'])).id, type: 1 }),
    ],
    [
      'POST',
      /^\/channels\/(\d+)\/messages$/,
      ({ body, files }, channel) => {
        writable(channel!)
        const given = body as Json
        form(checkMessage(given, files, true))
        notePings(given, `a message in ${channel}`)
        // «nonce» with «enforce_nonce»: the same again gives the message that is there.
        const twin =
          given['enforce_nonce'] === true &&
          [...state.messages.values()].find(
            (one) => one.channel === channel && one.nonce !== undefined && one.nonce === given['nonce'],
          )
        return messageJson(state, twin || make(channel!, given, files, null))
      },
    ],
    [
      'PATCH',
      /^\/channels\/(\d+)\/messages\/(\d+)$/,
      ({ body, files }, channel, id) => {
        writable(channel!)
        const message = state.messages.get(id!)
        if (message && message.author !== state.botId)
          throw no(403, 50005, 'Cannot edit a message authored by another user')
        return edit(message?.only === null ? message : undefined, body as Json, files)
      },
    ],
    ['POST', /^\/channels\/(\d+)\/typing$/, () => undefined],
    [
      'GET',
      /^\/guilds\/(\d+)\/members\/(\d+)$/,
      (_, guild, user) => {
        const found = state.guilds.get(guild!)
        if (!found) throw no(404, 10004, 'Unknown Guild')
        if (!found.members.has(state.botId)) throw no(403, 50001, 'Missing Access')
        const person = state.users.get(user!)
        if (!person || !found.members.has(user!)) throw no(404, 10007, 'Unknown Member')
        return {
          user: userJson(person),
          roles: [],
          joined_at: new Date(0).toISOString(),
          deaf: false,
          mute: false,
          flags: 0,
        }
      },
    ],
  ]

  /** @throws Refusal */
  function find(method: string, path: string, authorization: string | undefined) {
    for (const [verb, pattern, run, open] of routes) {
      const match = verb === method ? pattern.exec(path) : null
      if (!match) continue
      if (open !== 'open' && authorization !== `Bot ${state.token}`) throw no(401, 0, '401: Unauthorized')
      return (turn: Turn) => run(turn, ...match.slice(1))
    }
    throw no(404, 0, '404: Not Found')
  }

  async function serve(request: IncomingMessage, response: ServerResponse, port: number): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://discord')
    const method = request.method ?? 'GET'
    const path = decodeURIComponent(url.pathname.replace(/^\/api\/v10/, ''))
    const { body, files } = await readBody(request)
    const asked: Asked = { method, path, body: body as Json, status: 0, code: undefined }
    state.asked.push(asked)
    const send = (status: number, json: unknown, headers: Record<string, string> = {}) => {
      asked.status = status
      asked.code = (json as Json | undefined)?.['code'] as number | undefined
      asked.answer = json
      // What has no body says no type of one: the real client reads JSON wherever it is promised.
      response.writeHead(status, { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers })
      response.end(json === undefined ? undefined : JSON.stringify(json))
    }
    if ((waits.get(path) ?? 0) > Date.now()) state.violations.push(`${method} ${path}: asked again before Retry-After`)
    const trouble = troubles.find((one) => (one.times ?? 1) > 0 && one.when(method, path))
    if (trouble) {
      if (trouble.times !== undefined) trouble.times--
      const { how } = trouble
      if (how === 'hang') return
      if (how === 'reset') return void request.socket.destroy()
      if (how !== 'reset after' && !how.after) {
        const after = how.headers?.['retry-after']
        if (how.status === 429 && after) waits.set(path, Date.now() + Number(after) * 1000 - 50)
        return send(how.status, how.body ?? { message: 'trouble', code: 0 }, how.headers)
      }
    }
    try {
      const result = find(
        method,
        path,
        request.headers.authorization,
      )({ method, body, files, query: url.searchParams, port })
      if (trouble?.how === 'reset after') return void request.socket.destroy()
      if (trouble && typeof trouble.how === 'object')
        return send(trouble.how.status, trouble.how.body ?? { message: 'trouble', code: 0 }, trouble.how.headers)
      send(result === undefined ? 204 : 200, result)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      send(error.status, error.body)
    }
  }

  return { serve, answer, troubles }
}
