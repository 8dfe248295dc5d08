import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Json } from './limits.ts'

/** A message as people see it, with every body that made it what it is. */
export type Message = {
  id: string
  channel: string
  author: string
  content: string
  embeds: Json[]
  components: Json[]
  files: { name: string; text: string }[]
  /** Whom alone it is shown to. */
  only: string | null
  /** «is thinking…» */
  thinking: boolean
  deleted: boolean
  edits: number
  nonce: string | undefined
  repliesTo: string | undefined
}

export type User = { id: string; name: string; bot: boolean }
export type Channel = {
  id: string
  guild: string | null
  /** Of a direct message: the other one. */ with: string | null
  /** The bot may not write here. */ closed: boolean
}
export type Guild = { id: string; name: string; members: Set<string>; channels: string[] }

/** An interaction from the moment that somebody clicked. */
export type Interaction = {
  id: string
  token: string
  type: number
  user: string
  channel: string
  made: number
  /** The answer's type, once there is one. */
  answered: number | undefined
  data: Json
  ephemeral: boolean
  /** The message that an answer made, and the one whose button it was. */
  original: string | undefined
  source: string | undefined
  settle: (how: 'answered' | 'failed') => void
}

/** What a request of the bot was, and what it got. */
export type Asked = {
  method: string
  path: string
  body: Json
  status: number
  code: number | undefined
  answer?: unknown
}

export type State = {
  applicationId: string
  botId: string
  token: string
  keys: { publicKey: KeyObject; privateKey: KeyObject }
  /** Milliseconds that an interaction waits for its acknowledgement. */
  patience: number
  /** Milliseconds that this Discord's clock is ahead. */
  ahead: number
  now(): number
  id(): string
  users: Map<string, User>
  guilds: Map<string, Guild>
  channels: Map<string, Channel>
  messages: Map<string, Message>
  interactions: Map<string, Interaction>
  commands: Json[]
  asked: Asked[]
  /** What a human would call a misbehaviour, though it is no error of form: a ping, a secret in the open, a retry too early. */
  violations: string[]
}

/** An empty Discord with one application in it. */
export function createState(): State {
  let count = 0
  const state: State = {
    applicationId: '',
    botId: '',
    token: '',
    keys: generateKeyPairSync('ed25519'),
    patience: 3000,
    ahead: 0,
    now: () => Date.now() + state.ahead,
    // A snowflake: milliseconds since 2015, then a counter; far beyond 2^53.
    id: () => String((BigInt(state.now() - 1_420_070_400_000) << 22n) + BigInt(++count)),
    users: new Map(),
    guilds: new Map(),
    channels: new Map(),
    messages: new Map(),
    interactions: new Map(),
    commands: [],
    asked: [],
    violations: [],
  }
  state.applicationId = state.id()
  state.botId = state.applicationId
  state.token = `${Buffer.from(state.botId).toString('base64url')}.stand.in`
  state.users.set(state.botId, { id: state.botId, name: 'dcm', bot: true })
  return state
}

/** The public key as the developer portal shows it: 32 bytes in hex. */
export const publicKeyOf = (state: State): string =>
  state.keys.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')

/** The direct message channel between the bot and somebody. */
export function directChannel(state: State, user: string): Channel {
  for (const channel of state.channels.values()) if (channel.with === user) return channel
  const channel: Channel = { id: state.id(), guild: null, with: user, closed: false }
  state.channels.set(channel.id, channel)
  return channel
}

export const userJson = (user: User): Json => ({
  id: user.id,
  username: user.name,
  global_name: user.name,
  discriminator: '0',
  avatar: null,
  ...(user.bot ? { bot: true } : {}),
})

export function messageJson(state: State, message: Message): Json {
  const author = state.users.get(message.author)
  return {
    id: message.id,
    type: message.repliesTo ? 19 : 0,
    channel_id: message.channel,
    author: author ? userJson(author) : { id: message.author, username: 'gone', discriminator: '0' },
    content: message.content,
    embeds: message.embeds,
    components: message.components,
    attachments: message.files.map((file, n) => ({
      id: String(n),
      filename: file.name,
      size: file.text.length,
      url: 'https://cdn.example/x',
    })),
    flags: message.only === null ? 0 : 64,
    timestamp: new Date(state.now()).toISOString(),
    edited_timestamp: null,
    mentions: [],
    mention_roles: [],
    mention_everyone: false,
    tts: false,
    pinned: false,
  }
}
