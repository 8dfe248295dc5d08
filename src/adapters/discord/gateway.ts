import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Events, GatewayDispatchEvents, GatewayIntentBits, Options, Routes } from 'discord.js'
import type { Log } from '../../core/model/log.ts'
import { type Api, codeOf, codes } from './api.ts'
import type { Handle } from './handle.ts'
import { type Message, readPayload } from './payload.ts'

/** What DCM wants to hear of: its servers, what is typed to it by name, and its direct messages. None of them is privileged. */
export const intents = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages]

/** What the log may hear of when connecting fails. */
const wrongToken =
  'DISCORD_TOKEN is wrong: Discord does not accept it; take a new one from the developer portal, page Bot.'
const wrongIntents =
  'Discord does not allow this bot the intents it asks for, though none of them is privileged; look at the page Bot of the developer portal.'

/** Between tries to connect at first and at most: a new session may be begun a thousand times a day. */
const pauses = { first: 2000, most: 300_000 }

export type GatewayDeps = {
  token: string
  url: string
  api: Api
  handle: Handle
  log: Log
  /** Hears of what is wrong, and of nothing when it is well again. */ problem: (words: string | undefined) => void
}

/**
 * The connection to Discord's gateway by the real client, which resumes by itself. Where the client gives up, it is
 * begun anew, with pauses; nothing else of DCM waits for it.
 */
export function createGateway({ token, url, api, handle, log, problem }: GatewayDeps) {
  let client: Client | undefined
  let stopped = false
  let self = ''
  const over = new AbortController()

  async function answer(value: unknown): Promise<void> {
    const payload = readPayload(value)
    if (!payload) return
    const { response, later } = handle.interaction(payload)
    try {
      await api.callback(Routes.interactionCallback(payload.id, payload.token), await response)
    } catch (error) {
      const code = codeOf(error)
      // Discord has told its user that it failed, so it must not happen after all.
      if (code === codes.unknownInteraction)
        return log.warn(
          { interaction: payload.id },
          'Discord: an interaction came too late to be answered; nothing was done',
        )
      // Otherwise it may have been heard, by an earlier try or another process.
      if (code !== codes.acknowledged)
        log.warn(
          { interaction: payload.id, problem: api.known(error) },
          'Discord: an acknowledgement may not have arrived',
        )
    }
    await later?.()
  }

  const safely = (work: Promise<void>) =>
    void work.catch((err: unknown) => log.warn({ err }, 'Discord: something could not be handled'))

  const pause = (ms: number) => sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)
  const stopping = new Promise<undefined>((resolve) =>
    over.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  )

  /** Closes a connection. One that is just being made may never say that it is closed, so that is not waited for long. */
  const end = (old: Client) =>
    Promise.race([old.destroy().catch(() => undefined), sleep(2000, undefined, { ref: false })])

  /** One client from its login until it will not connect again. @throws when it cannot log in */
  async function live(): Promise<void> {
    const fresh = new Client({
      intents,
      rest: { api: url, timeout: 10_000 },
      // Names and messages are asked for when they are needed; kept, they would only grow.
      makeCache: Options.cacheWithLimits({
        ...Options.DefaultMakeCacheSettings,
        MessageManager: 0,
        UserManager: 0,
        GuildMemberManager: 0,
        PresenceManager: 0,
        VoiceStateManager: 0,
        ReactionManager: 0,
        ThreadManager: 0,
        ThreadMemberManager: 0,
        GuildEmojiManager: 0,
        GuildStickerManager: 0,
      }),
    })
    client = fresh
    const ended = new Promise<number>((resolve) => fresh.on(Events.ShardDisconnect, (event) => resolve(event.code)))
    fresh.on(Events.Error, (err) => log.warn({ err }, 'Discord: the client has trouble'))
    fresh.on(Events.ShardError, (err) => log.warn({ err }, 'Discord: the connection has trouble'))
    fresh.on(Events.ShardReconnecting, () => log.info({}, 'Discord: connecting again'))
    fresh.ws.on(GatewayDispatchEvents.Ready, (ready: { user: { id: string } }) => {
      self = ready.user.id
      problem(undefined)
      log.info({ platform: 'discord' }, 'connected to Discord')
    })
    fresh.ws.on(GatewayDispatchEvents.InteractionCreate, (value: unknown) => stopped || safely(answer(value)))
    fresh.ws.on(
      GatewayDispatchEvents.MessageCreate,
      (message: Message) => stopped || safely(handle.message(message, self)),
    )
    try {
      await fresh.login(token)
      const code = await Promise.race([ended, stopping])
      if (code !== undefined) throw new Error(`Discord closed the connection with ${code}`)
    } finally {
      await end(fresh)
    }
  }

  async function run(): Promise<void> {
    let wait = pauses.first
    while (!stopped) {
      const began = performance.now()
      try {
        await live()
      } catch (error) {
        if (stopped) return
        const { code, message } = error as { code?: unknown; message?: string }
        const words =
          code === 'TokenInvalid' || /4004|invalid token/i.test(message ?? '')
            ? wrongToken
            : /4014|intents/i.test(message ?? '')
              ? wrongIntents
              : undefined
        if (words) {
          problem(words)
          log.error({ problem: words }, 'Discord cannot be reached with this configuration')
          wait = pauses.most
        } else log.warn({ problem: api.known(error) }, 'Discord cannot be reached; it is tried again')
      }
      if (performance.now() - began > pauses.most) wait = pauses.first
      await pause(wait)
      wait = Math.min(pauses.most, wait * 2)
    }
  }

  let running: Promise<void> | undefined
  return {
    start: () => void (running ??= run()),
    async stop() {
      stopped = true
      over.abort()
      if (client) await end(client)
      await Promise.race([running, sleep(2000, undefined, { ref: false })])
    },
  }
}
