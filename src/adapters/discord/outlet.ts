import { Routes } from 'discord.js'
import type { Address, Letter, Outlet, Placed } from '../../core/chat/outlet.ts'
import { type Reply, warn } from '../../core/reply/reply.ts'
import { type Api, codeOf, codes } from './api.ts'
import { type Body, render, renderProgress, renderReply, type Rendered } from './render.ts'

/** How an interaction was answered at first: a message that says «thinking», nothing to see, or the message changed at once. */
export type Ack = 5 | 6 | 7

/** Where the answer to an interaction goes. */
export type InteractionAddress = {
  kind: 'call'
  scope: string
  via: 'interaction'
  application: string
  token: string
  /** When it came, by this machine's clock. */
  at: number
  ack: Ack
  user: string
  channel: string
  /** In a direct message, where nobody else is. */
  direct: boolean
  /** It turns a page: a refusal must not take the page's place. */
  turns?: true
}

/** Where the answer to a typed message goes. `quiet`: to its author alone, for its command's answer is private. */
export type MessageAddress = {
  kind: 'call'
  scope: string
  via: 'message'
  channel: string
  message: string
  user: string
  direct: boolean
  quiet: boolean
}
export type CallAddress = InteractionAddress | MessageAddress

/** An interaction's token is good for 15 minutes; a little less, so that it does not run out on the way. */
const tokenLife = 14.5 * 60_000

/** What says that an answer cannot be put where it belongs any more. */
const gone = new Set<number | undefined>([
  codes.unknownWebhook,
  codes.invalidToken,
  codes.unknownMessage,
  codes.unknownInteraction,
])

const elsewhere = renderReply({
  text: 'The answer is in your direct messages, for nobody else should see it.',
  tone: 'info',
})
const closed = renderReply({
  text: 'The answer is for you alone, and I may not write to you; allow direct messages from this server, or use /dcm here.',
  tone: 'warn',
})

/** Sends what the core owes somebody on Discord. What is made anew bears a nonce, so that a repeat makes no second message. */
export function createOutlet(api: Api, now: () => number = Date.now): Outlet {
  /** Channels of direct messages by user; asked anew after a restart. */
  const directs = new Map<string, string>()

  async function direct(user: string): Promise<string> {
    const cached = directs.get(user)
    if (cached) return cached
    const { id } = (await api.bot('post', Routes.userChannels(), { recipient_id: user })) as { id: string }
    if (directs.size > 10_000) directs.clear()
    directs.set(user, id)
    return id
  }

  async function post(channel: string, { body, files }: Rendered, nonce: string, to?: string): Promise<Placed> {
    const { id } = (await api.bot(
      'post',
      Routes.channelMessages(channel),
      {
        ...body,
        // «Create Message»: the same nonce within a few minutes gives the message that is there already.
        nonce: nonce.slice(0, 25),
        enforce_nonce: true,
        ...(to ? { message_reference: { message_id: to, fail_if_not_exists: false } } : {}),
      },
      files,
    )) as { id: string }
    return { channel, message: id }
  }

  const isPlaced = (placed: Placed | null): placed is { channel: string; message: string } =>
    typeof placed?.['channel'] === 'string' && typeof placed['message'] === 'string'

  /** Changes a message, or makes it anew where somebody has deleted it. */
  async function put(
    channel: string,
    rendered: Rendered,
    nonce: string,
    placed: Placed | null,
    to?: string,
  ): Promise<Placed> {
    if (!isPlaced(placed) || placed.channel !== channel) return post(channel, rendered, nonce, to)
    try {
      await api.bot('patch', Routes.channelMessage(placed.channel, placed.message), rendered.body, rendered.files)
      return placed
    } catch (error) {
      if (codeOf(error) !== codes.unknownMessage) throw error
      return post(channel, rendered, `${nonce}a`, to)
    }
  }

  const toUser = async (user: string, rendered: Rendered, nonce: string, placed: Placed | null): Promise<Placed> =>
    put(await direct(user), rendered, nonce, placed)

  async function toInteraction(
    address: InteractionAddress,
    letter: Letter,
    rendered: Rendered,
    placed: Placed | null,
  ): Promise<Placed> {
    const { application, token } = address
    if (letter.open) return put(address.channel, rendered, letter.id, placed)
    if (now() - address.at > tokenLife || isPlaced(placed)) return toUser(address.user, rendered, letter.id, placed)
    const instead = address.ack !== 6 || (letter.instead && !(address.turns && letter.reply.error))
    try {
      const message = instead ? '@original' : placed?.['followup']
      if (typeof message === 'string') {
        await api.open('patch', Routes.webhookMessage(application, token, message), rendered.body, rendered.files)
        return instead ? { original: true } : placed!
      }
      // After an acknowledgement that shows nothing, who sees a follow-up is its own affair: whoever pressed, alone.
      const { id } = (await api.open(
        'post',
        Routes.webhook(application, token),
        { ...rendered.body, flags: 64 },
        rendered.files,
      )) as { id: string }
      return { followup: id }
    } catch (error) {
      if (!gone.has(codeOf(error))) throw error
      return toUser(address.user, rendered, letter.id, null)
    }
  }

  async function toMessage(
    address: MessageAddress,
    letter: Letter,
    rendered: Rendered,
    placed: Placed | null,
  ): Promise<Placed> {
    const { channel, message } = address
    if (letter.open || address.direct || (!address.quiet && !letter.reply.private))
      return put(channel, rendered, letter.id, placed, address.direct || letter.open ? undefined : message)
    const earlier = (placed?.['private'] ?? null) as Placed | null
    const note = { body: elsewhere, files: [] }
    try {
      const sent = await toUser(address.user, rendered, letter.id, earlier)
      await put(channel, note, `${letter.id}n`, placed, message).catch(() => undefined)
      return { private: sent }
    } catch (error) {
      if (codeOf(error) !== codes.noDirect) throw error
      return put(channel, { body: closed, files: [] }, `${letter.id}n`, placed, message)
    }
  }

  async function send(address: Address, letter: Letter, placed: Placed | null): Promise<Placed> {
    const rendered = render(letter)
    if (address.kind === 'user') return toUser(address.user, rendered, letter.id, placed)
    if (address.kind === 'channel')
      return put(address.channel, letter.reply.private ? { body: elsewhere, files: [] } : rendered, letter.id, placed)
    const call = address as CallAddress
    return call.via === 'interaction'
      ? toInteraction(call, letter, rendered, placed)
      : toMessage(call, letter, rendered, placed)
  }

  return {
    platform: 'discord',
    async send(address, letter, placed) {
      try {
        return await send(address, letter, placed)
      } catch (error) {
        if (codeOf(error) !== codes.form) throw api.meaning(error)
        // It should have been cut to fit. Something of it has to arrive all the same.
        const { fields: _, table: __, code: ___, ...reply } = letter.reply
        const bare: Letter = { ...letter, buttons: [], reply: { ...reply, text: reply.text.slice(0, 500) } }
        return send(address, bare, placed).catch((second: unknown) => {
          throw api.meaning(second)
        })
      }
    },
    async progress(address, text, placed) {
      const call = address as CallAddress
      const body = renderProgress(text)
      try {
        if (call.kind !== 'call') return null
        if (call.via === 'message')
          return call.quiet && !call.direct
            ? null
            : await put(
                call.channel,
                { body: call.direct ? body : renderProgress('working on it'), files: [] },
                `${call.message}p`,
                placed,
                call.direct ? undefined : call.message,
              )
        if (call.ack === 6 || now() - call.at > tokenLife) return null
        await api.open('patch', Routes.webhookMessage(call.application, call.token, '@original'), body)
        return null
      } catch (error) {
        throw api.meaning(error)
      }
    },
  }
}

/** Says something at once where a call came from, past the outbox: that it could not be taken. */
export async function answerNow(api: Api, address: CallAddress, reply: Reply): Promise<void> {
  const body: Body = renderReply(reply)
  if (address.via === 'message')
    await api.bot('post', Routes.channelMessages(address.channel), {
      ...body,
      message_reference: { message_id: address.message, fail_if_not_exists: false },
    })
  else if (address.ack === 6)
    await api.open('post', Routes.webhook(address.application, address.token), { ...body, flags: 64 })
  else await api.open('patch', Routes.webhookMessage(address.application, address.token, '@original'), body)
}

/** A refusal that the adapter makes by itself. */
export const refuse = (text: string): Reply => ({ ...warn(text), tone: 'error', error: 'denied' })
