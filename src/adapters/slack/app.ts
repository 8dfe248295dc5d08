import { App, type Logger, type LogLevel, type Receiver } from '@slack/bolt'
import type { Chat } from '../../core/chat/chat.ts'
import { formOf, readForm } from '../../core/chat/form.ts'
import { homeOf } from '../../core/chat/home.ts'
import type { Input } from '../../core/chat/outlet.ts'
import { missingAll } from '../../core/chat/typed.ts'
import type { Door } from '../../core/door/door.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal } from '../../core/reply/reply.ts'
import type { Log } from '../../log.ts'
import { clientOptions, type Tokens, tokenErrors, errorOf } from './client.ts'
import { homeView, plainView } from './home.ts'
import { type Metadata, modal, valuesOf } from './modal.ts'
import { type CallAddress, urlLife } from './outlet.ts'
import { render } from './render.ts'
import { isTrue, type Origin, tenantOf, visitorOf } from './tenant.ts'

export type SlackDeps = {
  door: Door
  chat: Chat
  log: Log
  tokens: Tokens
  apiUrl: string
  now: () => number
  /** Hears of work that goes on after an acknowledgement. */
  background?: ((work: Promise<unknown>) => void) | undefined
  /** Whether a workspace is known to belong to an organisation, and a way to learn it. */
  teams: {
    known(team: string, enterprise: string): Promise<boolean>
    learn(team: string, enterprise: string): Promise<void>
  }
}

/** A part of a payload, of which nothing is taken for granted. */
type Part = Record<string, unknown>
const part = (value: unknown): Part => (typeof value === 'object' && value !== null ? (value as Part) : {})
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** Bolt's own words go to our log, each a line. */
export const loggerOf = (log: Log): Logger => {
  const say =
    (level: 'debug' | 'warn') =>
    (...words: unknown[]) =>
      log[level]({ slack: words.map(String).join(' ').slice(0, 500) }, 'slack')
  return {
    debug: say('debug'),
    info: say('debug'),
    warn: say('debug'),
    error: say('warn'),
    setLevel: () => undefined,
    getLevel: () => 'error' as LogLevel,
    setName: () => undefined,
  }
}

/** How long what has to come before a trigger runs out may take. */
const quickly = 1500
const within = <T>(work: Promise<T>, ms: number): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined
  return Promise.race([
    work.catch(() => undefined),
    new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms))),
  ]).finally(() => clearTimeout(timer))
}

/** Makes Bolt's app: every listener acknowledges first, and then hands over what was asked. */
export function createApp(deps: SlackDeps, receiver: Receiver): App {
  const { door, chat, log, tokens } = deps
  const app = new App({
    receiver,
    clientOptions: clientOptions(deps.apiUrl),
    logger: loggerOf(log),
    // From what this process knows already: nothing that could wait stands before an acknowledgement.
    authorize: ({ teamId, enterpriseId, isEnterpriseInstall }) => {
      const installation = tokens.known(tenantOf({ teamId, enterpriseId, orgInstall: isEnterpriseInstall }) ?? '')
      return Promise.resolve({
        ...(teamId === undefined ? {} : { teamId }),
        ...(enterpriseId === undefined ? {} : { enterpriseId }),
        ...(installation?.botUserId ? { botUserId: installation.botUserId } : {}),
        ...(installation?.botId ? { botId: installation.botId } : {}),
      })
    },
  })
  app.error((err) => {
    log.warn({ err }, 'Slack: something could not be handled')
    return Promise.resolve()
  })

  /** What comes after an acknowledgement: its failures are told to the one who asked, never to Slack. */
  const after = (work: () => Promise<void>): void => {
    const going = work().catch((err: unknown) => log.warn({ err }, 'Slack: a request could not be carried on'))
    deps.background?.(going)
  }

  /** Stores a call; while that cannot be done, whoever asked is told that nothing was. */
  async function take(
    visitor: Visitor,
    key: string,
    input: Input,
    address: CallAddress | { kind: 'user'; scope: string; user: string },
    channel: string | undefined,
  ): Promise<void> {
    try {
      await chat.take({ visitor, key, input, address, ...(channel ? { channel } : {}) })
    } catch (error) {
      const reply = refusal(
        error instanceof DcmError
          ? error
          : new DcmError('unavailable', 'DCM could not take that down, so nothing was done; try again in a minute.'),
      )
      const { text: fallback, blocks } = render({ reply, buttons: [] })
      if (address.kind === 'call' && address.via === 'url')
        await fetch(address.url, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, text: fallback, blocks }),
          signal: AbortSignal.timeout(10_000),
        })
      else {
        const known = tokens.known(address.scope)
        if (known && address.kind === 'call')
          await (
            await tokens.client(address.scope)
          ).chat.postEphemeral({ channel: address.channel, user: address.user, text: fallback })
      }
    }
  }

  /** Opens a command's form. @returns whether it is open, so that nothing else needs to be said */
  async function openForm(
    visitor: Visitor,
    scope: string,
    trigger: string,
    ask: { command: string; given?: Record<string, unknown> },
    reply: Metadata['reply'],
  ): Promise<boolean> {
    const form = formOf(door.commands, ask.command, ask.given)
    const actor = form && (await within(chat.identify(visitor), quickly))
    if (!form || !actor?.person) return false
    const choices: Record<string, string[]> = {}
    const looked = form.fields.filter((field) => field.complete !== undefined)
    await within(
      Promise.all(
        looked.map(async (field) => void (choices[field.name] = await door.complete(actor, field.complete!))),
      ),
      quickly,
    )
    const view = modal(form, choices, { command: ask.command, reply })
    if (JSON.stringify(view['private_metadata']).length > 3000) return false
    try {
      const client = await tokens.client(scope)
      await client.views.open({ trigger_id: trigger, view: view as never })
      return true
    } catch (err) {
      log.debug({ err }, 'a form could not be opened')
      return false
    }
  }

  app.command(/.*/, async ({ ack, body }) => {
    await ack()
    after(async () => {
      const origin: Origin = {
        teamId: text(body.team_id),
        enterpriseId: text(body.enterprise_id),
        orgInstall: isTrue(body.is_enterprise_install),
      }
      if (origin.teamId && origin.enterpriseId) await deps.teams.learn(origin.teamId, origin.enterpriseId)
      const visitor = await visitorOf(origin, { id: body.user_id, label: body.user_name ?? '' }, deps.teams.known)
      const scope = tenantOf(origin)
      if (!visitor || !scope) return
      const address: CallAddress = {
        kind: 'call',
        scope,
        via: 'url',
        url: body.response_url,
        until: deps.now() + urlLife,
        user: visitor.user,
        channel: body.channel_id,
        slash: true,
      }
      const line = body.text?.trim() ? body.text : 'help'
      const bare = missingAll(door.commands, line)
      if (bare && (await openForm(visitor, scope, body.trigger_id, { command: bare }, address))) return
      await take(visitor, `c:${body.trigger_id}`, { line }, address, body.channel_id)
    })
  })

  app.action(/.*/, async ({ ack, body, action }) => {
    await ack()
    after(async () => {
      const from = body as unknown as Part
      const pressed = part(action)
      const { visitor, scope } = await whoActs(from)
      if (!visitor || !scope) return
      const url = text(from['response_url'])
      const channel = text(part(from['channel'])['id']) ?? text(part(from['container'])['channel_id'])
      const address = url
        ? ({
            kind: 'call',
            scope,
            via: 'url',
            url,
            until: deps.now() + urlLife,
            user: visitor.user,
            channel: channel ?? '',
            slash: false,
          } satisfies CallAddress)
        : ({ kind: 'user', scope, user: visitor.user } as const)
      const [name, value, trigger] = [
        text(pressed['action_id']) ?? '',
        text(pressed['value']) ?? '',
        text(from['trigger_id']) ?? '',
      ]
      if (name === 'form') {
        const ask = readAsk(value)
        if (ask && !(await openForm(visitor, scope, trigger, ask, address)))
          await take(visitor, `a:${trigger}`, { line: ask.command }, address, channel)
        return
      }
      const page = /^([0-9a-z]{12}) (\d{1,4})$/.exec(value)
      const input: Input | undefined = name.startsWith('page:')
        ? page
          ? { page: page[1]!, at: Number(page[2]) }
          : undefined
        : name.startsWith('press:')
          ? { press: value }
          : undefined
      // A link or a choice in a form: nothing to carry out.
      if (!input) return
      await take(visitor, `a:${trigger}:${name}:${text(pressed['action_ts']) ?? ''}`, input, address, channel)
    })
  })

  /** Who pressed or sent in something, and in which place: the same for buttons and forms. */
  async function whoActs(from: Part) {
    const [team, user, enterprise] = [part(from['team']), part(from['user']), part(from['enterprise'])]
    const origin: Origin = {
      teamId: text(team['id']) ?? text(part(from['view'])['app_installed_team_id']),
      enterpriseId: text(enterprise['id']) ?? text(team['enterprise_id']),
      orgInstall: isTrue(from['is_enterprise_install']),
    }
    const id = text(user['id'])
    const scope = tenantOf(origin)
    const visitor =
      id &&
      (await visitorOf(
        origin,
        { id, teamId: text(user['team_id']), label: text(user['username']) ?? text(user['name']) ?? '' },
        deps.teams.known,
      ))
    return { visitor, scope }
  }

  app.view(/.*/, async ({ ack, body, view }) => {
    const metadata = readMetadata(view.private_metadata)
    if (!metadata) return ack()
    const { args, wrong } = await readForm(door.commands, metadata.command, valuesOf(view.state.values as never))
    if (Object.keys(wrong).length > 0) return ack({ response_action: 'errors', errors: wrong })
    await ack()
    after(async () => {
      const from = body as unknown as Part
      const { visitor, scope } = await whoActs(from)
      if (!visitor || !scope) return
      // The answer goes back to where the form was opened from, if that was the same person's.
      const back = metadata.reply as Partial<CallAddress>
      const address =
        back.kind === 'call' && back.scope === scope && back.user === visitor.user
          ? (back as CallAddress)
          : ({ kind: 'user', scope, user: visitor.user } as const)
      await take(visitor, `v:${view.id}:${view.hash ?? ''}`, { name: metadata.command, args }, address, undefined)
    })
    return undefined
  })

  app.shortcut(/.*/, async ({ ack }) => ack())
  app.options(/.*/, async ({ ack }) => ack({ options: [] }))

  /** What every event says of where it comes from. */
  function envelope(body: Part): { origin: Origin; id: string } {
    const authorization = part((Array.isArray(body['authorizations']) ? body['authorizations'] : [])[0])
    const orgInstall = isTrue(authorization['is_enterprise_install'])
    return {
      origin: {
        teamId: text(authorization['team_id']) ?? text(body['team_id']),
        enterpriseId: text(authorization['enterprise_id']) ?? text(body['enterprise_id']),
        orgInstall,
      },
      id: text(body['event_id']) ?? '',
    }
  }

  /** A line that was typed to the bot, in a conversation with it or by its name. */
  async function typed(body: unknown, event: Part, direct: boolean): Promise<void> {
    if (event['bot_id'] !== undefined || (event['subtype'] !== undefined && event['subtype'] !== 'file_share')) return
    const { origin, id } = envelope(part(body))
    const [user, channel, scope] = [text(event['user']), text(event['channel']), tenantOf(origin)]
    const visitor =
      user &&
      (await visitorOf(
        origin,
        { id: user, teamId: text(event['user_team']) ?? text(event['source_team']) ?? text(event['team']), label: '' },
        deps.teams.known,
      ))
    if (!visitor || !channel || !scope || !id) return
    const line = (text(event['text']) ?? '').replace(/^\s*<@[A-Z0-9]+(?:\|[^>]*)?>[\s,:]*/, '').trim() || 'help'
    const thread = text(event['thread_ts'])
    const address: CallAddress = {
      kind: 'call',
      scope,
      via: 'message',
      channel,
      user: visitor.user,
      direct,
      ...(thread ? { thread } : {}),
    }
    await take(visitor, `e:${id}`, { line: decode(line) }, address, channel)
  }

  app.event('app_mention', async ({ body, event }) => after(() => typed(body, event as unknown as Part, false)))
  app.event('message', async ({ body, event }) => {
    const message = event as unknown as Part
    if (message['channel_type'] === 'im') after(() => typed(body, message, true))
  })

  app.event('app_home_opened', async ({ body, event }) => {
    if (event.tab !== 'home') return
    const { origin } = envelope(body as unknown as Part)
    const scope = tenantOf(origin)
    after(async () => {
      const visitor = await visitorOf(origin, { id: event.user, label: '' }, deps.teams.known)
      if (!visitor || !scope) return
      const actor = await chat.identify(visitor)
      const got = await homeOf(door, actor)
      const view =
        'reply' in got
          ? plainView(got.reply, await chat.buttons(actor, got.reply.actions ?? []))
          : homeView(got.home, {
              containers: await Promise.all(got.home.containers.map((one) => chat.buttons(actor, one.actions))),
              requests: await Promise.all(got.home.requests.map((one) => chat.buttons(actor, one.actions))),
            })
      await (
        await tokens.client(scope)
      ).views
        .publish({ user_id: event.user, view: view as never })
        .catch((err: unknown) => {
          if (tokenErrors.has(errorOf(err) ?? '')) tokens.forget(scope)
          throw err
        })
    })
  })

  /** When an event happened: news that are older than an installation are not about it. */
  const when = (body: unknown) => new Date(Number(part(body)['event_time'] ?? 0) * 1000 || deps.now())

  const cut = (body: unknown) => {
    const scope = tenantOf(envelope(part(body)).origin)
    if (!scope) return
    after(async () => {
      await chat.cut('slack', scope, when(body))
      tokens.forget(scope)
    })
  }
  app.event('app_uninstalled', async ({ body }) => cut(body))
  app.event('tokens_revoked', async ({ body, event }) => {
    if ((event.tokens.bot ?? []).length > 0) cut(body)
  })
  app.event('user_change', async ({ body, event }) => {
    const user = part(part(event)['user'])
    const { origin } = envelope(part(body))
    const [scope, id] = [tenantOf(origin), text(user['id'])]
    if (user['deleted'] !== true || !scope || !id) return
    after(() => chat.left({ platform: 'slack', scope, user: id }))
  })
  return app
}

/** Undoes the entities that Slack puts into the text of messages (docs.slack.dev, messaging/formatting-message-text). */
const decode = (line: string): string => line.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')

function readAsk(value: string): { command: string; given?: Record<string, unknown> } | undefined {
  try {
    const ask = part(JSON.parse(value))
    return typeof ask['command'] === 'string' ? { command: ask['command'], given: part(ask['given']) } : undefined
  } catch {
    return undefined
  }
}

function readMetadata(value: string): Metadata | undefined {
  try {
    const read = part(JSON.parse(value))
    return typeof read['command'] === 'string' ? { command: read['command'], reply: part(read['reply']) } : undefined
  } catch {
    return undefined
  }
}
