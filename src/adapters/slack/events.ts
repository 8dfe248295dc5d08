import type { App } from '@slack/bolt'
import type { ChatFile } from '../../core/chat/file.ts'
import type { SlackDeps } from './app.ts'
import type { CallAddress } from './outlet.ts'
import { decode, envelope, type Part, part, text } from './payload.ts'
import type { Take } from './take.ts'
import { tenantOf, visitorOf } from './tenant.ts'

/** Files that were sent with a message. What a workspace shares of another's has to be asked for first, and is not taken. */
const filesOf = (event: Part): ChatFile[] =>
  (Array.isArray(event['files']) ? event['files'] : []).map(part).flatMap((file) => {
    const [at, size] = [text(file['url_private_download']) ?? text(file['url_private']), Number(file['size'])]
    return at ? [{ name: text(file['name']) ?? text(file['title']) ?? 'file', size, at }] : []
  })

/** Listens to what Slack tells by itself: lines typed to the bot, its home being opened, and who and what has gone. */
export function listen(
  app: App,
  deps: SlackDeps,
  { after, take }: { after(work: () => Promise<void>): void; take: Take },
): void {
  const { chat, tokens } = deps

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
    const files = filesOf(event)
    const typed = (text(event['text']) ?? '').replace(/^\s*<@[A-Z0-9]+(?:\|[^>]*)?>[\s,:]*/, '').trim()
    const line = typed || (files.length > 0 ? 'inbox' : 'help')
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
    await take(visitor, `e:${id}`, { line: decode(line) }, address, channel, files)
  }

  app.event('app_mention', async ({ body, event }) => after(() => typed(body, event as unknown as Part, false)))
  app.event('message', async ({ body, event }) => {
    const message = event as unknown as Part
    if (message['channel_type'] === 'im') after(() => typed(body, message, true))
  })

  app.event('app_home_opened', async ({ body, event }) => {
    if (event.tab !== 'home') return
    const { origin } = envelope(part(body))
    const scope = tenantOf(origin)
    after(async () => {
      const visitor = await visitorOf(origin, { id: event.user, label: '' }, deps.teams.known)
      if (visitor && scope) await deps.showHome(visitor, scope)
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
}
