import type { Command } from '../../core/command/define.ts'
import { parseWords } from '../../core/command/parse.ts'
import { splitWords, untypeset } from '../../core/command/words.ts'
import type { Chat } from '../../core/chat/chat.ts'
import { discordScope, type Errand, type Input } from '../../core/chat/outlet.ts'
import { missingAll } from '../../core/chat/typed.ts'
import type { Door } from '../../core/door/door.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal, type Reply } from '../../core/reply/reply.ts'
import type { Log } from '../../log.ts'
import type { Api } from './api.ts'
import { askedFor, fromModal, toModal } from './form.ts'
import type { Members } from './members.ts'
import {
  type Ack,
  answerNow,
  type CallAddress,
  type InteractionAddress,
  type MessageAddress,
  refuse,
} from './outlet.ts'
import { kinds, type Message, type Option, pathOf, type Payload, type User } from './payload.ts'
import { findPublished, hasForm, isRequired, lineCommand } from './publish.ts'
import { renderProgress, renderReply, renderSure } from './render.ts'

/** The first answer to an interaction, and what is done once Discord has it. */
export type Answer = { response: Response | Promise<Response>; later?: () => Promise<void> }
type Response = { type: number; data?: unknown }

/** How long an answer may take that cannot be put off: a form, completions. Discord waits three seconds for it. */
const quickly = 1500

/** Seen by whoever asked alone. */
const ephemeral = 64

export type HandleDeps = {
  door: Door
  chat: Chat
  api: Api
  members: Members
  log: Log
  now(): number
  /** Servers that DCM may be used in; any, when absent. */
  guilds: readonly string[] | undefined
}

const notHere = {
  bot: 'DCM takes commands from people only.',
  person: 'DCM works where it was added to a server; what a person has added for themselves may not use it.',
  group: 'DCM works in its server and in direct messages with it, and nowhere else.',
  guild: 'DCM is not for this server.',
  left: 'DCM is for the members of its server, and you are not one any more.',
  unknown:
    'DCM could not find out whether you are still a member of its server, so nothing was done; try again in a minute.',
}

const labelOf = (user: User): string => (user.global_name || user.username || '').slice(0, 80)

const within = <T>(work: Promise<T>, ms: number): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined
  return Promise.race([
    work.catch(() => undefined),
    new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms))),
  ]).finally(() => clearTimeout(timer))
}

/** One handler for interactions, however they come, and for typed messages. Nothing here waits before the first answer but what has to be in it. */
export function createHandle(deps: HandleDeps) {
  const { door, chat, api, members, log, guilds } = deps
  const { commands } = door

  /** Why somebody may not use DCM where they are, as far as the payload says. */
  function refusedHere(payload: Payload, user: User | undefined): string | undefined {
    const owners = payload.authorizing_integration_owners
    if (!user || user.bot || user.system) return notHere.bot
    if (owners && owners['0'] === undefined) return notHere.person
    if (payload.guild_id === undefined && payload.context === 2) return notHere.group
    if (payload.guild_id !== undefined && guilds && !guilds.includes(payload.guild_id)) return notHere.guild
    return undefined
  }

  /** Outside of a server, whether somebody is in one has to be asked. A word why not, when not. */
  async function stays(visitor: Visitor): Promise<string | undefined> {
    if (!guilds || visitor.within !== undefined) return undefined
    const there = await members.check(visitor.user)
    if (there === 'yes') return undefined
    if (there === 'no') await chat.left(visitor)
    return there === 'no' ? notHere.left : notHere.unknown
  }

  /** Stores a call; what cannot be stored is said where it came from. */
  async function take(errand: Omit<Errand, 'address'> & { address: CallAddress }): Promise<void> {
    const say = (reply: Reply) =>
      answerNow(api, errand.address, reply).catch((error: unknown) =>
        log.warn({ problem: api.known(error) }, 'Discord: a refusal could not be told'),
      )
    try {
      const gone = await stays(errand.visitor)
      if (gone) return await say(refuse(gone))
      await chat.take(errand)
    } catch (error) {
      if (!(error instanceof DcmError)) log.warn({ err: error }, 'Discord: a call broke before it was stored')
      await say(
        refusal(
          error instanceof DcmError
            ? error
            : new DcmError('unavailable', 'DCM could not take that down, so nothing was done; try again in a minute.'),
        ),
      )
    }
  }

  const visitorOf = (user: User, guild: string | undefined): Visitor => ({
    platform: 'discord',
    scope: discordScope,
    user: user.id,
    label: labelOf(user),
    ...(guild === undefined ? {} : { within: guild }),
  })

  const tell = (reply: Reply, direct: boolean): Answer => ({
    response: { type: 4, data: { ...renderReply(reply), ...(direct ? {} : { flags: ephemeral }) } },
  })

  /** Shows a form, or nothing when it cannot be had in time or its reader is nobody. */
  async function form(visitor: Visitor, name: string, given: Record<string, unknown>): Promise<Response | undefined> {
    const actor = await within(chat.identify(visitor), quickly)
    if (actor && !actor.person) return undefined
    const choices: Record<string, string[]> = {}
    if (actor)
      await within(
        Promise.all(
          askedFor(commands, name, given).map(
            async (field) => void (choices[field.name] = await door.complete(actor, field.line)),
          ),
        ),
        quickly,
      )
    const modal = toModal(commands, name, given, choices)
    return modal && { type: 9, data: modal }
  }

  /** A form, which is an answer of its own and the only one; where none can be had, the call is made and says what is missing. */
  function orForm(visitor: Visitor, name: string, given: Record<string, unknown>, otherwise: Answer): Answer {
    const shown = form(visitor, name, given)
    return {
      response: shown.then((modal) => modal ?? otherwise.response),
      async later() {
        if (!(await shown)) await otherwise.later?.()
      },
    }
  }

  /** An option's value as a command takes it. @throws DcmError `usage` for a quote that is not closed */
  function valueOf(command: Command, option: Option, users: Record<string, User>): unknown {
    const arg = command.args[option.name]
    if (!arg || option.value === undefined) return option.value
    if (option.type === 6) {
      const user = users[String(option.value)]
      return `<@${option.value}${user ? `|${labelOf(user).replace(/[<>|]/g, '')}` : ''}>`
    }
    if (typeof option.value === 'string' && (arg.many || arg.each || arg.rest)) return splitWords(option.value)
    return option.value
  }

  function command(
    payload: Payload,
    visitor: Visitor,
    take: (input: Input, ack: Ack) => Answer,
    direct: boolean,
  ): Answer {
    const { words, options } = pathOf(payload.data)
    let input: Input
    let ask: { name: string; given: Record<string, unknown> } | undefined
    if (words.length === 1 && words[0] === lineCommand) {
      const line = String(options[0]?.value ?? '')
      input = { line }
      const bare = missingAll(commands, line)
      if (bare) ask = { name: bare, given: {} }
    } else {
      const found = findPublished(commands, words)
      if (!found)
        return tell(
          refusal(
            new DcmError('usage', 'There is no such command any more; Discord will show the new ones soon.', {
              try: 'help',
            }),
          ),
          direct,
        )
      const args: Record<string, unknown> = {}
      try {
        for (const option of options) args[option.name] = valueOf(found, option, payload.data?.resolved?.users ?? {})
      } catch (error) {
        if (!(error instanceof DcmError)) throw error
        return tell(refusal(error), direct)
      }
      input = { name: found.name, args }
      const missing = Object.entries(found.args).some(([name, arg]) => isRequired(arg) && args[name] === undefined)
      if (missing && hasForm(found)) ask = { name: found.name, given: args }
    }
    return ask ? orForm(visitor, ask.name, ask.given, take(input, 5)) : take(input, 5)
  }

  function component(
    payload: Payload,
    visitor: Visitor,
    take: (input: Input, ack: Ack, turns?: true) => Answer,
    direct: boolean,
  ): Answer {
    const id = payload.data?.custom_id ?? ''
    const what = id.slice(2)
    switch (id.slice(0, 2)) {
      case 'p:':
        return take({ press: what }, 5)
      case 'q:':
        return take({ press: what }, 6)
      case 'd:':
        return { ...take({ press: what }, 7), response: { type: 7, data: renderProgress('working on it') } }
      case 'c:': {
        const button = payload.message?.components
          ?.flatMap((row) => row.components ?? [])
          .find((one) => one.custom_id === id)
        return {
          response: {
            type: 4,
            data: { ...renderSure(what, button?.label ?? 'Go on'), ...(direct ? {} : { flags: ephemeral }) },
          },
        }
      }
      case 'g:': {
        const [page = '', at = ''] = what.split(':')
        return take({ page, at: Number(at) }, 6, true)
      }
      case 's:':
        return take({ page: what, at: Number(payload.data?.values?.[0]) }, 6, true)
      case 'f:':
        return orForm(visitor, what, {}, take({ line: what }, 5))
      case 'n':
        return { response: { type: 7, data: renderReply({ text: 'Nothing was done.', tone: 'info' }) } }
      default:
        return tell(refusal(new DcmError('conflict', 'That button is too old; type the command again.')), direct)
    }
  }

  /** What could stand where somebody is typing; of a list of values the last one is completed. */
  async function complete(payload: Payload, visitor: Visitor): Promise<Response> {
    const { words, options } = pathOf(payload.data)
    const focused = options.find((option) => option.focused)
    const none = { type: 8, data: { choices: [] } }
    if (!focused) return none
    const text = String(focused.value ?? '')
    let line = text
    let kept = ''
    if (words[0] !== lineCommand) {
      const found = findPublished(commands, words)
      const arg = found?.args[focused.name]
      if (!found || !arg) return none
      const several = arg.many || arg.each || arg.rest
      kept = several ? text.slice(0, text.lastIndexOf(' ') + 1) : ''
      if (arg.of)
        return offer(
          arg.of.filter((one) => one.startsWith(text)),
          kept,
        )
      const positional = Object.entries(found.args).filter(([, one]) => !one.flag && !one.rest && one.kind !== 'flag')
      const before = positional
        .slice(
          0,
          Math.max(
            0,
            positional.findIndex(([name]) => name === focused.name),
          ),
        )
        .map(() => 'x')
      line = [found.name, ...(arg.flag ? [`--${focused.name}`] : before), text.slice(kept.length)].join(' ')
    } else kept = text.slice(0, text.lastIndexOf(' ') + 1)
    const names = await within(
      (async () => ((await stays(visitor)) ? [] : door.complete(await chat.identify(visitor), line)))(),
      quickly,
    )
    return offer(names ?? [], kept)
  }

  const offer = (names: readonly string[], kept: string): Response => ({
    type: 8,
    data: {
      choices: names
        .map((name) => kept + name)
        .filter((one) => one.length >= 1 && one.length <= 100)
        .slice(0, 25)
        .map((one) => ({ name: one, value: one })),
    },
  })

  function interaction(payload: Payload): Answer {
    const user = payload.member?.user ?? payload.user
    const guild = payload.guild_id
    const direct = guild === undefined
    const no = refusedHere(payload, user)
    if (no || !user)
      return payload.type === kinds.autocomplete
        ? { response: { type: 8, data: { choices: [] } } }
        : tell(refuse(no ?? notHere.bot), direct)
    const visitor = visitorOf(user, guild)
    const channel = payload.channel_id ?? ''
    const at = deps.now()

    const call = (input: Input | (() => Promise<Input>), ack: Ack, turns?: true): Answer => {
      const address: InteractionAddress = {
        kind: 'call',
        scope: payload.id,
        via: 'interaction',
        application: payload.application_id,
        token: payload.token,
        at,
        ack,
        user: user.id,
        channel,
        direct,
        ...(turns ? { turns } : {}),
      }
      return {
        // What is refused, asked or shown is for whoever asked alone: a channel hears of it by --post only.
        response: ack === 5 ? { type: 5, ...(direct ? {} : { data: { flags: ephemeral } }) } : { type: 6 },
        async later() {
          let given: Input
          try {
            given = typeof input === 'function' ? await input() : input
          } catch (error) {
            if (!(error instanceof DcmError)) throw error
            await answerNow(api, address, refusal(error))
            return
          }
          await take({
            visitor,
            key: `i:${payload.id}`,
            input: given,
            address,
            channel: direct ? 'a direct message' : `${guild}/${channel}`,
          })
        },
      }
    }

    switch (payload.type) {
      case kinds.command:
        return command(payload, visitor, call, direct)
      case kinds.component:
        return component(payload, visitor, call, direct)
      case kinds.autocomplete:
        return { response: complete(payload, visitor) }
      case kinds.form: {
        const name = (payload.data?.custom_id ?? '').replace(/^form:/, '')
        return call(async () => ({ name, args: await fromModal(commands, name, payload.data?.components ?? []) }), 5)
      }
      default:
        return tell(refuse('DCM does not know what to do with that.'), direct)
    }
  }

  /**
   * Whether the answer to a line is for its author alone, which has to be known before it runs. In a channel nothing can
   * be shown to one person, so only what is about nobody is answered there: help, and lines that are no command.
   */
  function isPrivate(line: string): boolean {
    try {
      const { command } = parseWords(commands, splitWords(untypeset(line)))
      return command.private === true || command.needs !== 'anyone'
    } catch {
      return false
    }
  }

  /** A line that was typed to the bot: in a direct message, or after its name in a channel. */
  async function message(payload: Message, self: string): Promise<void> {
    const { author, guild_id: guild, channel_id: channel } = payload
    if (author.bot || author.system || payload.webhook_id !== undefined || author.id === self) return
    // 0 a message, 19 an answer to one; all others are Discord's own.
    if (payload.type !== undefined && payload.type !== 0 && payload.type !== 19) return
    const direct = guild === undefined
    const mention = new RegExp(`^\\s*<@!?${self}>[\\s,:]*`)
    if (!direct && !mention.test(payload.content)) return
    if (!direct && guilds && !guilds.includes(guild)) return
    const line = payload.content.replace(mention, '').trim() || 'help'
    const address: MessageAddress = {
      kind: 'call',
      scope: payload.id,
      via: 'message',
      channel,
      message: payload.id,
      user: author.id,
      direct,
      quiet: isPrivate(line),
    }
    await take({
      visitor: visitorOf(author, guild),
      key: `m:${payload.id}`,
      input: { line },
      address,
      channel: direct ? 'a direct message' : `${guild}/${channel}`,
    })
  }

  return { interaction, message }
}

export type Handle = ReturnType<typeof createHandle>
