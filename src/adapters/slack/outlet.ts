import type { types } from '@slack/bolt'
import { type Address, type Letter, type Outlet, type Placed, Undelivered } from '../../core/chat/outlet.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import { plain } from '../../core/reply/text.ts'
import type { Log } from '../../core/model/log.ts'
import { errorOf, type Tokens, undelivered } from './client.ts'
import type { ShowHome } from './home.ts'
import { codeParts, escape, type Message, render } from './render.ts'

/** How a call is answered: through its own URL, in the conversation where it was typed, or beside the home page where it was pressed. */
export type CallAddress =
  | {
      kind: 'call'
      scope: string
      via: 'url'
      url: string
      until: number
      user: string
      channel: string
      slash: boolean
    }
  | { kind: 'call'; scope: string; via: 'message'; channel: string; user: string; direct: boolean; thread?: string }
  | { kind: 'call'; scope: string; via: 'home'; user: string; visitor: Visitor }

/** Slack lets a response URL be used five times within half an hour (docs.slack.dev, interactivity/handling-user-interaction). */
export const urlUses = 5
export const urlLife = 29 * 60_000
/** One is kept for another try at the answer. */
const mostProgress = 1

/** Faults that come before a byte is sent. */
const unsent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

const blocksOf = (message: Message) => message.blocks as unknown as types.KnownBlock[]

/** Sends to Slack. Whatever was private stays with the one who asked: ephemeral where they typed, else a direct message. */
export function createOutlet(deps: {
  tokens: Tokens
  log: Log
  now: () => number
  showHome: ShowHome
  fetch?: typeof fetch
}): Outlet {
  const { tokens, log, now, showHome, fetch = globalThis.fetch } = deps

  /** Where nothing was sent at all, a further try is no repeat. */
  const reach = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      const code = ((error as Error).cause as { code?: string } | undefined)?.code
      throw unsent.has(code ?? '') ? new Undelivered('Slack cannot be reached.', 5000, error) : error
    }
  }

  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw undelivered(error)
    }
  }

  async function directTo(scope: string, user: string): Promise<string> {
    const client = await tokens.client(scope)
    const opened = await call(() => client.conversations.open({ users: user }))
    const channel = opened.channel?.id
    if (!channel) throw new Undelivered('Slack opened no conversation.', 30_000)
    return channel
  }

  async function post(scope: string, channel: string, message: Message, placed: Placed | null): Promise<Placed> {
    const client = await tokens.client(scope)
    const content = { channel, text: message.text, blocks: blocksOf(message), unfurl_links: false, unfurl_media: false }
    if (placed && typeof placed['ts'] === 'string' && placed['channel'] === channel) {
      const { ts } = placed
      try {
        await client.chat.update({ channel, ts, text: message.text, blocks: blocksOf(message) })
        return { channel, ts }
      } catch (error) {
        // Somebody deleted it: what is owed is said anew.
        if (!['message_not_found', 'cant_update_message'].includes(errorOf(error) ?? '')) throw undelivered(error)
      }
    }
    const posted = await call(() => client.chat.postMessage(content))
    return { channel: posted.channel ?? channel, ts: posted.ts ?? '' }
  }

  const direct = async (scope: string, user: string, message: Message, placed: Placed | null) =>
    post(scope, await directTo(scope, user), message, placed)

  /** Answers through a response URL. @returns undefined when it has had its day */
  async function respond(
    address: CallAddress & { via: 'url' },
    message: Message,
    how: { replace: boolean; open: boolean },
    uses: number,
  ): Promise<Placed | undefined> {
    if (uses >= urlUses || now() > address.until) return undefined
    const response = await reach(() =>
      fetch(address.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: JSON.stringify({
          response_type: how.open ? 'in_channel' : 'ephemeral',
          replace_original: how.replace,
          delete_original: false,
          text: message.text,
          blocks: message.blocks,
        }),
        signal: AbortSignal.timeout(10_000),
        redirect: 'error',
      }),
    )
    const body = await response.text()
    if (response.ok) return { uses: uses + 1 }
    const wait = Number(response.headers.get('retry-after'))
    if (response.status === 429)
      throw new Undelivered('Slack asks to wait.', Math.max(1, wait || 1) * 1000, undefined, true)
    if (response.status >= 500) throw new Undelivered(`Slack answered ${response.status}.`, 1500)
    log.debug(
      { status: response.status, said: body.slice(0, 100) },
      'a response URL is over; a direct message takes its place',
    )
    return undefined
  }

  /** Puts what is too long for a message into a file, which only the one who asked can open. @returns whether it is there */
  async function file(scope: string, user: string, letter: Letter): Promise<boolean> {
    const { code } = letter.reply
    if (code === undefined || codeParts(code).whole) return false
    try {
      const client = await tokens.client(scope)
      const channel = await directTo(scope, user)
      const content = Buffer.from(plain(code), 'utf8')
      const filename = 'output.txt'
      const place = await client.files.getUploadURLExternal({ filename, length: content.length })
      if (!place.upload_url || !place.file_id) return false
      const sent = await fetch(place.upload_url, {
        method: 'POST',
        body: new Uint8Array(content),
        signal: AbortSignal.timeout(30_000),
      })
      if (!sent.ok) return false
      await client.files.completeUploadExternal({
        files: [{ id: place.file_id, title: filename }],
        channel_id: channel,
      })
      return true
    } catch (err) {
      // The message itself shows the end of it; a file that cannot be sent must not keep that back.
      log.warn({ err }, 'a file could not be sent to Slack')
      return false
    }
  }

  return {
    platform: 'slack',
    async send(to, letter, placed) {
      const address = to as Address | CallAddress
      if (address.kind === 'user')
        return direct(
          address.scope,
          address.user,
          render(letter, await file(address.scope, address.user, letter)),
          placed,
        )
      if (address.kind === 'channel') return post(address.scope, address.channel, render(letter), placed)
      const here = address as CallAddress
      const filed = letter.open ? false : await file(here.scope, here.user, letter)
      const message = render(letter, filed)
      if (here.via === 'url') {
        const uses = Number(placed?.['uses'] ?? 0)
        if (placed?.['ts'] !== undefined) return direct(here.scope, here.user, message, placed)
        // What stands on a button's message is replaced; what a slash command was told so far, where Slack can.
        const replace = letter.instead || (here.slash && uses > 0)
        const done = await respond(here, message, { replace: replace && !letter.open, open: letter.open }, uses)
        if (done || letter.open) return done ?? {}
        return direct(here.scope, here.user, message, null)
      }
      if (here.via === 'home') {
        if (letter.open) return {}
        const sent = await direct(here.scope, here.user, message, placed)
        // What was pressed there is done, so that the page says what is no longer so.
        void showHome(here.visitor, here.scope).catch((err: unknown) =>
          log.debug({ err }, 'a page could not be renewed'),
        )
        return sent
      }
      if (here.direct) return post(here.scope, here.channel, message, placed)
      if (letter.open) return post(here.scope, here.channel, message, placed)
      const client = await tokens.client(here.scope)
      try {
        await client.chat.postEphemeral({
          channel: here.channel,
          user: here.user,
          text: message.text,
          blocks: blocksOf(message),
          ...(here.thread ? { thread_ts: here.thread } : {}),
        })
        return {}
      } catch (error) {
        const code = errorOf(error)
        if (
          code === undefined ||
          !['user_not_in_channel', 'not_in_channel', 'channel_not_found', 'is_archived'].includes(code)
        )
          throw undelivered(error)
        return direct(here.scope, here.user, message, null)
      }
    },
    async progress(to, text, placed) {
      const here = to as CallAddress
      if (here.kind !== 'call') return null
      const message: Message = {
        text: escape(`${text}…`),
        blocks: render({
          reply: { text: `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}…`, tone: 'info' },
          buttons: [],
        }).blocks,
      }
      if (here.via === 'url') {
        const uses = Number(placed?.['uses'] ?? 0)
        if (!here.slash || uses >= mostProgress) return null
        return (await respond(here, message, { replace: false, open: false }, uses)) ?? null
      }
      if (here.via === 'home') return direct(here.scope, here.user, message, placed)
      return here.direct ? post(here.scope, here.channel, message, placed) : null
    },
  }
}
