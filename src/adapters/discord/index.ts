import type { KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Routes } from 'discord.js'
import type { Chat } from '../../core/chat/chat.ts'
import type { Door } from '../../core/door/door.ts'
import type { Log } from '../../core/model/log.ts'
import { createApi } from './api.ts'
import { createGateway } from './gateway.ts'
import { createHandle } from './handle.ts'
import { createEndpoint, readKey } from './http.ts'
import { createMembers } from './members.ts'
import { createFetch } from './file.ts'
import { createOutlet } from './outlet.ts'
import { isSame, publish, type Published } from './publish.ts'

export type DiscordOptions = {
  door: Door
  chat: Chat
  log: Log
  token: string | undefined
  applicationId: string | undefined
  publicKey: string | undefined
  /** Servers that DCM may be used in; whoever leaves them all is cut off. Any server that it was added to, when absent. */
  guilds: readonly string[] | undefined
  apiUrl: string
  now?: () => number
  /** Hears of work that goes on after an answer. */
  background?: (work: Promise<unknown>) => void
}

export type Discord = {
  /** Answers `POST /discord/interactions`. */
  fetch(request: Request): Response | Promise<Response>
  /** Sentences about what is missing or wrong; the rest works. */
  problems(): string[]
  /** Connects and registers commands, for as long as it takes. Never throws. */
  start(): void
  /** Whether the commands are registered, for who wants to wait for it. */
  registered: Promise<void>
  stop(): Promise<void>
}

/** The first part of a bot's token is its application's id, which is its user's. */
function idOf(token: string | undefined): string | undefined {
  const id = Buffer.from(token?.split('.')[0] ?? '', 'base64url').toString()
  return /^\d{2,24}$/.test(id) ? id : undefined
}

/** Between tries to register: it is not urgent, for what was registered before still works. */
const pauses = { first: 2000, most: 300_000 }

/** Makes the Discord half of DCM. With parts missing it says which, and what remains works. */
export function createDiscord(options: DiscordOptions): Discord {
  const { door, chat, log, token, guilds, now = Date.now } = options
  const problems = new Set<string>()
  const over = new AbortController()
  if (!token)
    problems.add('DISCORD_TOKEN is missing: DCM cannot register commands, hear messages or write to anybody by itself.')
  const applicationId = options.applicationId ?? idOf(token)
  let key: KeyObject | undefined
  try {
    key = options.publicKey === undefined ? undefined : readKey(options.publicKey)
  } catch {
    problems.add(
      'DISCORD_PUBLIC_KEY is not a public key: it is 64 hex digits, on the page General Information of the developer portal.',
    )
  }

  const api = createApi({ token, url: options.apiUrl, log })
  const members = createMembers(api, guilds, log, now)
  const handle = createHandle({ door, chat, api, members, log, now, guilds })
  const endpoint =
    key &&
    createEndpoint({
      publicKey: key,
      applicationId: () => applicationId,
      handle,
      log,
      now,
      background: options.background,
    })
  let trouble: string | undefined
  const gateway = token
    ? createGateway({ token, url: options.apiUrl, api, handle, log, problem: (words) => void (trouble = words) })
    : undefined
  chat.attach({ ...createOutlet(api, now), fetch: createFetch(options.apiUrl) })

  const { published, problems: unpublished } = publish(door.commands)
  for (const problem of unpublished) log.warn({ problem }, 'Discord: a command does not fit')

  /** Puts our commands in place of what is registered, where that is anything else; kinds that are not ours stay. */
  async function register(): Promise<void> {
    const id = applicationId ?? ((await api.bot('get', Routes.currentApplication())) as { id: string }).id
    const there = (await api.bot('get', Routes.applicationCommands(id))) as (Published & { type?: number })[]
    if (isSame(there, published))
      return log.info({ commands: published.length }, 'Discord: the commands are registered as they are')
    await api.bot('put', Routes.applicationCommands(id), [
      ...published,
      ...there.filter((one) => (one.type ?? 1) !== 1),
    ])
    log.info({ commands: published.length }, 'Discord: the commands are registered anew')
  }

  let done: () => void = () => undefined
  const registered = new Promise<void>((resolve) => (done = resolve))

  async function keepRegistering(): Promise<void> {
    for (let wait = pauses.first; !over.signal.aborted; wait = Math.min(pauses.most, wait * 2)) {
      try {
        await register()
        return done()
      } catch (error) {
        log.warn({ problem: api.known(error) }, 'Discord: the commands could not be registered; it is tried again')
      }
      await sleep(wait, undefined, { signal: over.signal }).catch(() => undefined)
    }
  }

  return {
    problems: () => [...problems, ...(trouble ? [trouble] : [])],
    fetch(request) {
      return (
        endpoint?.(request) ??
        new Response('There is nothing here.', { status: 404, headers: { 'Cache-Control': 'no-store' } })
      )
    },
    start() {
      if (!token) return
      gateway?.start()
      void keepRegistering()
    },
    registered,
    async stop() {
      over.abort()
      await gateway?.stop()
      api.stop()
    },
  }
}
