import { randomBytes, sign } from 'node:crypto'
import { createServer } from 'node:http'
import { createGateway, intents } from './gateway.ts'
import type { Json } from './limits.ts'
import { createRest, type Trouble } from './rest.ts'
import {
  type Channel,
  createState,
  directChannel,
  type Guild,
  type Interaction,
  type Message,
  messageJson,
  publicKeyOf,
  type User,
  userJson,
} from './state.ts'

export type { Message } from './state.ts'
export type { Trouble } from './rest.ts'

/** Where somebody is when they do something. */
export type Where = { guild: Guild; channel: Channel } | 'dm' | 'group'

/** What came of a click: the interaction, and what was shown for it. */
export type Exchange = {
  interaction: Interaction
  /** «The application did not respond.» */
  failed: boolean
  /** The answer's message, or the one whose button it was. */
  message: () => Message | undefined
  modal: Json | undefined
  choices: { name: string; value: string }[]
}

type Endpoint = (request: Request) => Response | Promise<Response>

/**
 * A Discord on loopback: REST and gateway with resume for a real client, signed interactions for an endpoint, and
 * people who click, type and read. It enforces what Discord enforces: forms, windows, tokens, scopes and permissions.
 */
export async function createDiscord(options: { heartbeat?: number } = {}) {
  const state = createState()
  const rest = createRest(state)
  /** What people have attached, as Discord's CDN has it: for whoever has the address. */
  const kept = new Map<string, Buffer>()
  const server = createServer((request, response) => {
    const file = kept.get(request.url ?? '')
    if (file) return void response.writeHead(200, { 'content-length': file.length }).end(file)
    if (request.url?.startsWith('/attachments/'))
      return void response.writeHead(404).end('This content is no longer available.')
    rest.serve(request, response, port()).catch((error: unknown) => {
      state.violations.push(`the stand-in broke: ${String(error)}`)
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = () => (server.address() as { port: number }).port
  const gateway = createGateway(state, server, options.heartbeat)
  let endpoint: Endpoint | undefined

  /** One signed request. `forge` changes it afterwards. */
  async function signed(
    body: Json | string,
    forge: { headers?: Record<string, string>; timestamp?: string; sent?: string } = {},
  ): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const timestamp = forge.timestamp ?? String(Math.floor(state.now() / 1000))
    const signature = sign(null, Buffer.from(timestamp + text), state.keys.privateKey).toString('hex')
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Discord-Interactions/1.0',
      'x-signature-ed25519': signature,
      'x-signature-timestamp': timestamp,
      ...forge.headers,
    }
    return endpoint!(
      new Request('http://dcm.example/discord/interactions', { method: 'POST', headers, body: forge.sent ?? text }),
    )
  }

  function deliver(payload: Json, interaction: Interaction): Promise<Exchange> {
    return new Promise((resolve) => {
      const done = (how: 'answered' | 'failed') => {
        clearTimeout(timer)
        const data = interaction.data as { choices?: { name: string; value: string }[] }
        resolve({
          interaction,
          failed: how === 'failed',
          message: () => state.messages.get(interaction.original ?? ''),
          modal: interaction.answered === 9 ? interaction.data : undefined,
          choices: data.choices ?? [],
        })
      }
      interaction.settle = done
      const timer = setTimeout(() => done('failed'), state.patience)
      if (!endpoint) return gateway.tell('INTERACTION_CREATE', payload)
      void signed(payload).then(
        async (response) => {
          if (response.status === 202 || interaction.answered !== undefined) return
          if (response.status !== 200) return done('failed')
          try {
            rest.answer(interaction, (await response.json()) as Json)
          } catch (error) {
            state.violations.push(
              `an answer was refused: ${JSON.stringify((error as { body?: unknown }).body ?? String(error))}`,
            )
            done('failed')
          }
        },
        () => done('failed'),
      )
    })
  }

  function channelOf(user: User, where: Where): Channel {
    if (where === 'dm') return directChannel(state, user.id)
    if (where === 'group') return { id: state.id(), guild: null, with: null, closed: false }
    return where.channel
  }

  function person(user: User) {
    const home = (): Where => {
      const guild = [...state.guilds.values()].find((one) => one.members.has(user.id))
      return guild ? { guild, channel: state.channels.get(guild.channels[0]!)! } : 'dm'
    }

    /** An interaction that is about to be sent. */
    function begun(
      type: number,
      data: Json,
      where: Where,
      more: { source?: Message; owners?: Record<string, string> } = {},
    ): { payload: Json; interaction: Interaction } {
      const channel = channelOf(user, where)
      const guild = typeof where === 'string' ? undefined : where.guild
      const interaction: Interaction = {
        id: state.id(),
        token: `token${randomBytes(32).toString('hex')}`,
        type,
        user: user.id,
        channel: channel.id,
        made: state.now(),
        answered: undefined,
        data: {},
        ephemeral: false,
        original: undefined,
        source: more.source?.id,
        settle: () => undefined,
      }
      state.interactions.set(interaction.id, interaction)
      const who = guild
        ? {
            member: {
              user: userJson(user),
              permissions: '2147483647',
              roles: [],
              joined_at: new Date(0).toISOString(),
              deaf: false,
              mute: false,
              flags: 0,
            },
          }
        : { user: userJson(user) }
      const payload: Json = {
        id: interaction.id,
        application_id: state.applicationId,
        type,
        token: interaction.token,
        version: 1,
        data,
        ...who,
        ...(guild
          ? { guild_id: guild.id, guild: { id: guild.id, locale: 'en-US', features: [] }, guild_locale: 'en-US' }
          : {}),
        channel_id: channel.id,
        channel: { id: channel.id, type: guild ? 0 : 1 },
        locale: 'en-US',
        app_permissions: '2147483647',
        entitlements: [],
        context: guild ? 0 : where === 'group' ? 2 : 1,
        authorizing_integration_owners: more.owners ?? { '0': guild ? guild.id : '0' },
        ...(more.source ? { message: messageJson(state, more.source) } : {}),
      }
      return { payload, interaction }
    }

    async function interact(...given: Parameters<typeof begun>): Promise<Exchange> {
      const { payload, interaction } = begun(...given)
      return deliver(payload, interaction)
    }

    /** The registered command behind some words, and its options; as Discord's own client finds them. */
    function published(name: string, where: Where): { top: Json; leaf: Json; wrap(options: Json[]): Json[] } {
      const [first, ...rest] = name.split(' ')
      const top = state.commands.find((one) => one['name'] === first)
      if (!top) throw new Error(`no command /${first} is registered`)
      const contexts = (top['contexts'] as number[] | null) ?? [0, 1, 2]
      if (!contexts.includes(where === 'dm' ? 1 : where === 'group' ? 2 : 0))
        throw new Error(`/${first} is not offered there`)
      let leaf = top
      for (const word of rest) {
        const next = ((leaf['options'] as Json[] | undefined) ?? []).find((one) => one['name'] === word)
        if (!next) throw new Error(`/${name} is not registered`)
        leaf = next
      }
      return {
        top,
        leaf,
        wrap: (given) =>
          rest.toReversed().reduce((inner, word, n) => [{ name: word, type: n === 0 ? 1 : 2, options: inner }], given),
      }
    }

    function chosen(leaf: Json, values: Json, focused?: string): { options: Json[]; resolved: Json } {
      const known = (leaf['options'] as Json[] | undefined) ?? []
      const users: Json = {}
      const attachments: Json = {}
      const options = Object.entries(values).map(([name, value]) => {
        const option = known.find((one) => one['name'] === name)
        if (!option) throw new Error(`no option ${name}`)
        const choices = option['choices'] as { value: unknown }[] | undefined
        if (choices?.length && !choices.some((one) => one.value === value))
          throw new Error(`${String(value)} is no choice of ${name}`)
        if (option['type'] === 6) users[String(value)] = userJson(state.users.get(String(value))!)
        if (option['type'] === 11) {
          const file = value as { filename: string; size: number; url: string }
          const fileId = state.id()
          attachments[fileId] = { id: fileId, ...file }
          return { name, type: 11, value: fileId }
        }
        return { name, type: option['type'], value, ...(focused === name ? { focused: true } : {}) }
      })
      if (focused === undefined)
        for (const option of known)
          if (option['required'] && !(String(option['name']) in values))
            throw new Error(`${String(option['name'])} is required`)
      const resolved = {
        ...(Object.keys(users).length > 0 ? { users } : {}),
        ...(Object.keys(attachments).length > 0 ? { attachments } : {}),
      }
      return { options, resolved: Object.keys(resolved).length > 0 ? { resolved } : {} }
    }

    const me = {
      ...user,
      /** A published command with its options. */
      async slash(
        name: string,
        values: Json = {},
        where: Where = home(),
        owners?: Record<string, string>,
      ): Promise<Exchange> {
        const { top, leaf, wrap } = published(name, where)
        const { options, resolved } = chosen(leaf, values)
        return interact(
          2,
          { id: top['id'], name: top['name'], type: 1, options: wrap(options), ...resolved },
          where,
          owners ? { owners } : {},
        )
      },
      /** The same, made and not sent: for what is delivered more than once. */
      payload(name: string, values: Json = {}, where: Where = home()) {
        const { top, leaf, wrap } = published(name, where)
        const { options, resolved } = chosen(leaf, values)
        return begun(2, { id: top['id'], name: top['name'], type: 1, options: wrap(options), ...resolved }, where)
      },
      /** Sends what was made, again or for the first time, and does not wait for what comes of it. */
      async resend({ payload, interaction }: { payload: Json; interaction: Interaction }): Promise<void> {
        if (interaction.answered === undefined) await deliver(payload, interaction)
        else if (endpoint) await signed(payload)
        else gateway.tell('INTERACTION_CREATE', payload)
      },
      /** What is offered for the option that is being typed. */
      async complete(name: string, values: Json, focused: string, where: Where = home()): Promise<string[]> {
        const { top, leaf, wrap } = published(name, where)
        const { options } = chosen(leaf, values, focused)
        const exchange = await interact(4, { id: top['id'], name: top['name'], type: 1, options: wrap(options) }, where)
        if (exchange.failed) throw new Error('nothing was offered in time')
        return exchange.choices.map((choice) => choice.value)
      },
      /** Presses a button by what stands on it. */
      async press(message: Message, label: string): Promise<Exchange> {
        if (message.deleted || (message.only !== null && message.only !== user.id))
          throw new Error(`${user.name} does not see that message`)
        const parts = message.components.flatMap((row) => row['components'] as Json[])
        const button = parts.find((one) => one['type'] === 2 && one['label'] === label)
        if (!button) throw new Error(`no button ${label} among ${parts.map((one) => String(one['label'])).join(', ')}`)
        if (button['disabled']) throw new Error(`${label} is disabled`)
        return interact(3, { component_type: 2, custom_id: button['custom_id'] }, placeOf(message), { source: message })
      },
      /** The same with an id that stands on no button: somebody with a client of their own. */
      forge: (message: Message, id: string) =>
        interact(3, { component_type: 2, custom_id: id }, placeOf(message), { source: message }),
      /** Picks in the menu of a message. */
      async choose(message: Message, value: string): Promise<Exchange> {
        const menu = message.components.flatMap((row) => row['components'] as Json[]).find((one) => one['type'] === 3)
        if (!menu || !(menu['options'] as Json[]).some((one) => one['value'] === value))
          throw new Error(`no menu with ${value}`)
        return interact(3, { component_type: 3, custom_id: menu['custom_id'], values: [value] }, placeOf(message), {
          source: message,
        })
      },
      /** Fills in and sends a form. */
      async submit(from: Exchange, values: Record<string, string>): Promise<Exchange> {
        if (!from.modal) throw new Error('no form was shown')
        const parts = (from.modal['components'] as { component: Json }[]).map(({ component }) => component)
        for (const name of Object.keys(values))
          if (!parts.some((part) => part['custom_id'] === name)) throw new Error(`the form does not ask for ${name}`)
        const components = parts.map((part, n) => {
          const id = String(part['custom_id'])
          const value = values[id] ?? (part['value'] as string | undefined) ?? ''
          if (part['required'] !== false && value === '') throw new Error(`${id} has to be filled in`)
          if (part['type'] === 3 && value !== '' && !(part['options'] as Json[]).some((one) => one['value'] === value))
            throw new Error(`${value} is not offered`)
          const given = part['type'] === 3 ? { values: value === '' ? [] : [value] } : { value }
          return { type: 18, id: n, component: { type: part['type'], custom_id: id, ...given } }
        })
        const channel = state.channels.get(from.interaction.channel)!
        const where: Where = channel.guild === null ? 'dm' : { guild: state.guilds.get(channel.guild)!, channel }
        const source = state.messages.get(from.interaction.source ?? '')
        return interact(5, { custom_id: from.modal['custom_id'], components }, where, source ? { source } : {})
      },
      /** Types a message. In a channel the bot gets its text only where it is mentioned. */
      say(content: string, where: Where = home(), as: Json = {}): Message {
        const channel = channelOf(user, where)
        const guild = typeof where === 'string' ? undefined : where.guild
        const message: Message = {
          id: state.id(),
          channel: channel.id,
          author: user.id,
          content,
          embeds: [],
          components: [],
          files: [],
          only: null,
          thinking: false,
          deleted: false,
          edits: 0,
          nonce: undefined,
          repliesTo: undefined,
        }
        state.messages.set(message.id, message)
        const mentioned = content.includes(`<@${state.botId}>`) || content.includes(`<@!${state.botId}>`)
        const payload = {
          ...messageJson(state, message),
          mentions: mentioned ? [userJson(state.users.get(state.botId)!)] : [],
          ...(guild ? { guild_id: guild.id, member: { roles: [], joined_at: new Date(0).toISOString() } } : {}),
          ...as,
        }
        gateway.tell('MESSAGE_CREATE', payload, (wanted) => {
          if ((wanted & (guild ? intents.guildMessages : intents.directMessages)) === 0) return undefined
          return guild && !mentioned && (wanted & intents.content) === 0
            ? { ...payload, content: '', embeds: [], components: [], attachments: [] }
            : payload
        })
        return message
      },
      /** Closes an answer that only they see. */
      dismiss(message: Message) {
        message.deleted = true
      },
      /** What the bot has written that they can see, oldest first. */
      sees: (where: Where = home()) =>
        [...state.messages.values()].filter(
          (one) =>
            one.author === state.botId &&
            !one.deleted &&
            one.channel === channelOf(user, where).id &&
            (one.only === null || one.only === user.id),
        ),
      directs: () => me.sees('dm'),
    }
    return me
  }

  function placeOf(message: Message): Where {
    const channel = state.channels.get(message.channel)!
    return channel.guild === null ? 'dm' : { guild: state.guilds.get(channel.guild)!, channel }
  }

  return {
    state,
    gateway,
    api: `http://127.0.0.1:${port()}/api`,
    token: state.token,
    applicationId: state.applicationId,
    publicKey: publicKeyOf(state),
    /** Keeps a file as if somebody had attached it. @returns its attachment object */
    keep(filename: string, content: Buffer | string) {
      const bytes = Buffer.from(content)
      const path = `/attachments/${state.id()}/${state.id()}/${encodeURIComponent(filename)}?ex=1&is=1&hm=1`
      kept.set(path, bytes)
      return { filename, size: bytes.length, url: `http://127.0.0.1:${port()}${path}` }
    },
    /** Everything that the bot asked, and what it got. */
    asked: state.asked,
    violations: state.violations,
    /** What Discord refused because the form was wrong. */
    refused: () => state.asked.filter((one) => one.status === 400),
    /** Requests that made or changed something that people see. */
    written: () => state.asked.filter((one) => ['POST', 'PATCH', 'PUT'].includes(one.method)),
    trouble: (trouble: Trouble) => void rest.troubles.push(trouble),
    healed: () => void rest.troubles.splice(0),
    /** Its clock goes on. */
    later: (ms: number) => void (state.ahead += ms),
    guild(name = 'lab') {
      const channel: Channel = { id: state.id(), guild: state.id(), with: null, closed: false }
      const guild: Guild = { id: channel.guild!, name, members: new Set([state.botId]), channels: [channel.id] }
      state.guilds.set(guild.id, guild)
      state.channels.set(channel.id, channel)
      return { guild, channel } satisfies Where
    },
    person(name: string, where: { guild: Guild }[] = [], bot = false) {
      const user: User = { id: state.id(), name, bot }
      state.users.set(user.id, user)
      for (const { guild } of where) guild.members.add(user.id)
      return person(user)
    },
    signed,
    /**
     * Names where interactions are posted to, as the developer portal does: it has to answer a ping, and to refuse one
     * that is not signed right. @throws when it does not
     */
    async endpoint(given: Endpoint | undefined): Promise<void> {
      endpoint = given
      if (!given) return
      const ping = { id: state.id(), application_id: state.applicationId, type: 1, token: 'ping', version: 1 }
      const good = await signed(ping)
      const pong = good.status === 200 ? ((await good.json().catch(() => ({}))) as Json) : {}
      const type = good.headers.get('content-type') ?? ''
      const bad = await signed(ping, { headers: { 'x-signature-ed25519': '0'.repeat(128) } })
      if (pong['type'] === 1 && type.includes('application/json') && bad.status === 401) return
      endpoint = undefined
      throw new Error('The specified interactions endpoint url could not be verified.')
    },
    async stop() {
      gateway.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type Discord = Awaited<ReturnType<typeof createDiscord>>
export type Person = ReturnType<Discord['person']>
