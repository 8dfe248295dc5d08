import { SocketModeReceiver } from '@slack/bolt'
import type { Chat } from '../../core/chat/chat.ts'
import type { Door } from '../../core/door/door.ts'
import type { Log } from '../../core/model/log.ts'
import { createApp, loggerOf, type SlackDeps } from './app.ts'
import { clientOptions, createClient, createTokens, errorOf, type Installation, tokenErrors } from './client.ts'
import { createHome } from './home.ts'
import { createInstall } from './install.ts'
import { createFetch } from './file.ts'
import { createOutlet } from './outlet.ts'
import { createReceiver } from './receiver.ts'

export type SlackOptions = {
  door: Door
  chat: Chat
  log: Log
  publicUrl: string
  signingSecret: string | undefined
  botToken: string | undefined
  appToken: string | undefined
  clientId: string | undefined
  clientSecret: string | undefined
  apiUrl: string
  authorizeUrl: string
  now?: () => number
  background?: SlackDeps['background']
}

export type Slack = {
  /** Answers everything under `/slack`. */
  fetch(request: Request): Response | Promise<Response>
  /** Sentences about what is missing or wrong; the rest works. */
  problems: string[]
  /** Connects; resolves once what can be connected is. Never throws. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** What the configuration lacks for Slack to work, each as a sentence that names the variable. */
function lacking(options: SlackOptions): string[] {
  const problems: string[] = []
  if (!options.signingSecret && !options.appToken)
    problems.push(
      'SLACK_SIGNING_SECRET is missing, and SLACK_APP_TOKEN too: Slack can reach DCM by neither HTTP nor Socket Mode.',
    )
  if (options.botToken && !/^xox[bp]-\S{8,}$/.test(options.botToken))
    problems.push('SLACK_BOT_TOKEN is not a bot token; it starts with xoxb-.')
  if (options.appToken && !/^xapp-\S{8,}$/.test(options.appToken))
    problems.push('SLACK_APP_TOKEN is not an app-level token; it starts with xapp-.')
  if (!options.botToken && !options.clientId)
    problems.push('SLACK_BOT_TOKEN is missing; set it, or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET to install by OAuth.')
  if (options.clientId && !options.clientSecret) problems.push('SLACK_CLIENT_SECRET is missing beside SLACK_CLIENT_ID.')
  return problems
}

const nothing = () => new Response('There is nothing here.', { status: 404, headers: { 'Cache-Control': 'no-store' } })

/** Makes the Slack half of DCM. With parts missing it says which, and what remains works. */
export function createSlack(options: SlackOptions): Slack {
  const { door, chat, log, apiUrl, now = Date.now } = options
  const problems = lacking(options)
  const tokens = createTokens(chat, apiUrl)
  const families = new Map<string, string>()
  const teams: SlackDeps['teams'] = {
    async known(team, enterprise) {
      if (families.get(team) !== enterprise)
        families.set(team, (await chat.installation('slack-team', team))?.secret ?? '')
      return families.get(team) === enterprise
    },
    async learn(team, enterprise) {
      if (families.get(team) === enterprise) return
      // Stored, so that every process knows it; a command that cannot be stored is not carried out anyway.
      await chat
        .installed('slack-team', team, enterprise)
        .catch((err: unknown) => log.debug({ err }, 'a workspace could not be written down'))
      families.set(team, enterprise)
    },
  }
  const showHome = createHome({ door, chat, tokens })
  const deps: SlackDeps = { door, chat, log, tokens, apiUrl, now, teams, showHome, background: options.background }
  chat.attach({ ...createOutlet({ tokens, log, now, showHome }), fetch: createFetch(tokens, apiUrl) })

  const receiver = options.signingSecret
    ? createReceiver({ signingSecret: options.signingSecret, log, now })
    : undefined
  if (receiver) createApp(deps, receiver)
  const install =
    options.clientId && options.clientSecret
      ? createInstall({
          chat,
          tokens,
          log,
          clientId: options.clientId,
          clientSecret: options.clientSecret,
          apiUrl,
          authorizeUrl: options.authorizeUrl,
          publicUrl: options.publicUrl,
          now,
        })
      : undefined

  let socket: SocketModeReceiver | undefined
  let stopped = false
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())

  /** Finds out whose the token is, now and again until Slack says; nothing waits for it. */
  async function learnToken(token: string): Promise<void> {
    for (let tries = 0; !stopped; tries++) {
      try {
        const who = await createClient(token, apiUrl).auth.test()
        const scope = who.is_enterprise_install ? who.enterprise_id : who.team_id
        if (!scope) return
        const installation: Installation = {
          botToken: token,
          ...(who.user_id ? { botUserId: who.user_id } : {}),
          ...(who.bot_id ? { botId: who.bot_id } : {}),
        }
        await chat.installed('slack', scope, JSON.stringify(installation))
        tokens.forget(scope)
        await tokens.of(scope)
        log.info({ platform: 'slack', scope }, 'Slack takes the bot token')
        return
      } catch (err) {
        const code = errorOf(err)
        if (code && tokenErrors.has(code)) {
          const words = `SLACK_BOT_TOKEN is wrong: Slack says ${code}.`
          if (!problems.includes(words)) problems.push(words)
          log.error({ problem: words }, 'Slack does not take the bot token')
          return
        }
        log.warn({ err }, 'Slack does not answer; the bot token is tried again')
        await wait(Math.min(60_000, 1000 * 2 ** tries))
      }
    }
  }

  async function connect(appToken: string): Promise<void> {
    for (let tries = 0; !stopped; tries++) {
      // A dropped link is dialled again after as long as a ping may take, times the failures: short, so that little is missed.
      const fresh = new SocketModeReceiver({
        appToken,
        logger: loggerOf(log),
        clientPingTimeout: 2000,
        installerOptions: { clientOptions: clientOptions(apiUrl) },
      })
      createApp(deps, fresh)
      socket = fresh
      try {
        await fresh.start()
        log.info({ platform: 'slack' }, 'connected by Socket Mode')
        return
      } catch (err) {
        await Promise.resolve(fresh.stop()).catch(() => undefined)
        const code = errorOf(err) ?? errorOf((err as Error).cause)
        if (code && tokenErrors.has(code)) {
          const words = `SLACK_APP_TOKEN is wrong: Slack says ${code}.`
          if (!problems.includes(words)) problems.push(words)
          log.error({ problem: words }, 'Slack does not take the app token')
          return
        }
        log.warn({ err }, 'Slack cannot be reached for Socket Mode; it is tried again')
        await wait(Math.min(60_000, 1000 * 2 ** tries))
      }
    }
  }

  return {
    problems,
    fetch(request) {
      const path = new URL(request.url).pathname
      if (path.endsWith('/slack/events')) return receiver?.fetch(request) ?? nothing()
      if (path.endsWith('/slack/install') || path.endsWith('/slack/oauth_redirect'))
        return install?.(request) ?? nothing()
      return nothing()
    },
    async start() {
      await Promise.all([
        options.botToken ? learnToken(options.botToken) : undefined,
        options.appToken ? connect(options.appToken) : undefined,
      ])
    },
    async stop() {
      stopped = true
      await Promise.resolve(socket?.stop()).catch(() => undefined)
    },
  }
}
