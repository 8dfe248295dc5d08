import { App, type Logger, type LogLevel, type Receiver } from '@slack/bolt'
import type { Chat } from '../../core/chat/chat.ts'
import { readForm } from '../../core/chat/form.ts'
import type { Input } from '../../core/chat/outlet.ts'
import { missingAll } from '../../core/chat/typed.ts'
import type { Door } from '../../core/door/door.ts'
import type { Log } from '../../core/model/log.ts'
import { clientOptions, type Tokens } from './client.ts'
import { listen } from './events.ts'
import { createForms, readAsk, readMetadata } from './form.ts'
import type { ShowHome } from './home.ts'
import { valuesOf } from './modal.ts'
import { type CallAddress, urlLife } from './outlet.ts'
import { originOf, type Part, part, text } from './payload.ts'
import { type Back, createTake } from './take.ts'
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
  showHome: ShowHome
}

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

/** Makes Bolt's app: every listener acknowledges first, and then hands over what was asked. */
export function createApp(deps: SlackDeps, receiver: Receiver): App {
  const { door, log, tokens } = deps
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

  const [take, openForm] = [createTake(deps), createForms(deps)]

  /** Who pressed or sent in something, and in which place: the same for buttons and forms. */
  async function whoActs(from: Part) {
    const [origin, user] = [originOf(from), part(from['user'])]
    const id = text(user['id'])
    const scope = tenantOf(origin)
    const label = text(user['username']) ?? text(user['name']) ?? ''
    const visitor = id && (await visitorOf(origin, { id, teamId: text(user['team_id']), label }, deps.teams.known))
    return { visitor, scope }
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
      const address: Back = url
        ? {
            kind: 'call',
            scope,
            via: 'url',
            url,
            until: deps.now() + urlLife,
            user: visitor.user,
            channel: channel ?? '',
            slash: false,
          }
        : { kind: 'call', scope, via: 'home', user: visitor.user, visitor }
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
      const mine = back.kind === 'call' && back.scope === scope && back.user === visitor.user
      const address: Back = !mine
        ? { kind: 'user', scope, user: visitor.user }
        : back.via === 'home'
          ? { kind: 'call', scope, via: 'home', user: visitor.user, visitor }
          : (back as CallAddress)
      await take(visitor, `v:${view.id}:${view.hash ?? ''}`, { name: metadata.command, args }, address, undefined)
    })
    return undefined
  })

  app.shortcut(/.*/, async ({ ack }) => ack())
  app.options(/.*/, async ({ ack }) => ack({ options: [] }))
  listen(app, deps, { after, take })

  return app
}
