import { createHookRoute, createHttp, type Http } from '../adapters/http/index.ts'
import type { Discord } from '../adapters/discord/index.ts'
import type { Slack } from '../adapters/slack/index.ts'
import { commands } from '../commands/index.ts'
import type { Config } from '../config.ts'
import { type ChatWorker, createChat } from '../core/chat/chat.ts'
import { createContexts } from '../core/door/context.ts'
import { createDoor } from '../core/door/create.ts'
import type { Door } from '../core/door/door.ts'
import { createHooks, type Hooks } from '../core/hooks/receive.ts'
import type { Works } from '../core/operation/define.ts'
import type { Runner } from '../core/operation/runner.ts'
import type { Log } from '../core/model/log.ts'

/** The parts that every process has, whatever its role: the door, and all that comes to it by HTTP. */
export type Parts = {
  door: Door
  chat: ChatWorker
  hooks: Hooks
  http: Http
  slack: Slack | null
  discord: Discord | null
}

export type PartsDeps = {
  works: Works
  config: Config
  runner: Runner
  holder: string
  log: Log
  /** Hears a sentence about each thing that is missing or wrong. */
  say(line: string): void
  /** Leaves what is stored to other processes. */
  storesOnly?: boolean
  background?(work: Promise<unknown>): void
}

/** Puts the door and its adapters together, and connects nothing. */
export async function assemble(deps: PartsDeps): Promise<Parts> {
  const { works, config, runner, holder, log, say, storesOnly = false } = deps
  const { version, publicUrl } = works.place
  const door = createDoor({
    works,
    commands,
    runner,
    log,
    contextFor: createContexts(works, commands),
    holder,
    ...(config.ssh ? { perMember: config.ssh.perMember } : {}),
  })
  const http = createHttp({ door, log, version, publicUrl, trustProxy: config.trustProxy })
  const hooks = createHooks({ works, commands, holder, log, handle: door.handle, storesOnly })
  http.mount('/v1/hooks', createHookRoute(hooks))
  const background = deps.background ? { background: deps.background } : {}
  const chat = createChat({ works, door, commands, log, holder, ...background })
  const given = { door, chat, log, ...background }

  const slack =
    config.slack && (await import('../adapters/slack/index.ts')).createSlack({ ...config.slack, ...given, publicUrl })
  if (slack) {
    http.mount('/slack', slack.fetch)
    for (const problem of slack.problems) {
      log.error({ problem }, 'Slack lacks something; the rest of DCM serves')
      say(problem)
    }
  }
  const discord =
    config.discord && (await import('../adapters/discord/index.ts')).createDiscord({ ...config.discord, ...given })
  if (discord) {
    http.mount('/discord', discord.fetch)
    for (const problem of discord.problems()) {
      log.error({ problem }, 'Discord is not wholly configured')
      say(problem)
    }
  }
  return { door, chat, hooks, http, slack, discord }
}
