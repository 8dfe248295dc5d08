import { inspect } from 'node:util'
import { createDiscord as createAdapter, type DiscordOptions } from '../../../src/adapters/discord/index.ts'
import type { ChatRig, Seen, Someone } from '../../contracts/chat.ts'
import { createKeptLog, createLife, freeAll } from '../../core/chat/life.ts'
import { createWorld } from '../../core/door/world.ts'
import { createDiscord, type Message, type Person, type Where } from '../../stand-ins/discord/index.ts'
import { until } from '../../setup/until.ts'

/** What one reads of a message: marks gone, what was escaped as it was meant. */
export function textOf(message: Message): string {
  const read = (text: unknown) =>
    (typeof text === 'string' ? text : '')
      .replace(/\\([^\w\s])/g, '$1')
      .replace(/```\n?|\*\*|`/g, '')
      .replace(/ · /g, '  ')
  const embeds = message.embeds.map((embed) => {
    const fields = (embed['fields'] as { name: string; value: string }[] | undefined) ?? []
    return [
      read(embed['description']),
      ...fields.map((field) => `${read(field.name)}: ${read(field.value)}`),
      read((embed['footer'] as { text?: string } | undefined)?.text),
    ].join('\n')
  })
  return [read(message.content), ...embeds, ...message.files.map((file) => file.text)].join('\n').trim()
}

export const labelsOf = (message: Message): string[] =>
  message.components
    .flatMap((row) => row['components'] as { type: number; label?: string }[])
    .filter((one) => one.type === 2)
    .map((one) => one.label ?? '')

/** Whether it only says that something goes on. */
const isProgress = (message: Message) =>
  message.thinking || message.embeds.some((embed) => String(embed['description']).startsWith('⏳'))

export type Way = 'gateway' | 'http'

/** A whole core, a local Discord, and the real adapter with the real client between them. */
export async function createDiscordRig(
  way: Way,
  options: Partial<DiscordOptions> & {
    settings?: Parameters<typeof createWorld>[0]
    limit?: boolean
    patience?: number
  } = {},
) {
  const { settings, limit, patience, ...over } = options
  const world = await createWorld(settings)
  const discord = await createDiscord()
  if (patience !== undefined) discord.state.patience = patience
  const home = discord.guild('lab')
  const { said, log } = createKeptLog()
  let lives = 0

  /** One life of the process that serves Discord: an own runner and door over the same store. */
  async function live() {
    const life = createLife(world, { holder: `life${++lives}`, log })
    const { door, chat } = life
    const guilds = limit ? [home.guild.id] : undefined
    const adapter = createAdapter({
      door,
      chat,
      log,
      token: discord.token,
      applicationId: undefined,
      publicKey: way === 'http' ? discord.publicKey : undefined,
      guilds,
      apiUrl: discord.api,
      ...over,
    })
    life.start()
    adapter.start()
    if (over.token === undefined && !('token' in over)) {
      await adapter.registered
      await until('a connection', () => discord.gateway.connected())
    }
    if (way === 'http') await discord.endpoint((request) => adapter.fetch(request))
    return {
      chat,
      door,
      adapter,
      async stop() {
        await adapter.stop()
        await life.stop()
      },
    }
  }
  let now = await live()

  /** Remembers what somebody sees, to find out what is new. */
  const snapshot = () => new Map([...discord.state.messages.values()].map((one) => [one, one.edits]))
  const fresh = (person: Person, before: Map<Message, number>): Message[] =>
    [...discord.state.messages.values()].filter(
      (one) =>
        one.author === discord.state.botId &&
        !one.deleted &&
        before.get(one) !== one.edits &&
        !isProgress(one) &&
        (one.only === null || one.only === person.id) &&
        (discord.state.channels.get(one.channel)?.with ?? person.id) === person.id,
    )
  const next = (person: Person, before: Map<Message, number>, what = 'an answer'): Promise<Message[]> =>
    until(what, () => {
      const found = fresh(person, before)
      return found.length > 0 && found
    }).catch((cause: unknown) => {
      const warnings = said.filter(({ level }) => level === 'warn' || level === 'error').slice(-5)
      throw new Error(`${String(cause)} DCM says: ${inspect(warnings, { depth: 4 })}`, { cause })
    })

  /** Waits until nothing is thought about any more, and all that was taken has been worked on. */
  async function quiet(): Promise<void> {
    await until(
      'the end of thinking',
      () => ![...discord.state.messages.values()].some((one) => one.thinking && !one.deleted),
    )
    await until(
      'the outbox to come to rest',
      async () => (await world.rows(`select id from outbox where status in ('called', 'owed')`)).length === 0,
    )
  }

  const seen = (message: Message): Seen => ({
    text: textOf(message),
    buttons: labelsOf(message),
    private: message.only !== null || (discord.state.channels.get(message.channel)?.with ?? null) !== null,
    raw: message,
  })
  const back = (one: Seen) => one.raw as Message

  async function last(person: Person, work: () => unknown, what?: string): Promise<Message> {
    const before = snapshot()
    await work()
    return (await next(person, before, what)).at(-1)!
  }

  function someone(person: Person): Someone {
    return {
      type: async (line) => seen(await last(person, () => person.slash('dcm', { line }), line)),
      press: async (one, label) => seen(await last(person, () => person.press(back(one), label), label)),
      async repeat(line, times) {
        const before = snapshot()
        const made = person.payload('dcm', { line })
        for (let n = 0; n < times; n++) await person.resend(made)
        await next(person, before)
        await quiet()
        return fresh(person, before).map(seen)
      },
      async mash(one, label, times) {
        const before = snapshot()
        const copy = { ...back(one) }
        await Promise.all(Array.from({ length: times }, () => person.press(copy, label)))
        await next(person, before)
        await quiet()
        return fresh(person, before).map(seen)
      },
      async begin(line) {
        const before = snapshot()
        const { failed } = await person.slash('dcm', { line })
        if (failed) throw new Error('not acknowledged')
        return async () => seen((await next(person, before, line)).at(-1)!)
      },
    }
  }

  async function member(name: string, role: 'member' | 'admin' = 'member') {
    const person = await world.member(name, role)
    const account = discord.person(name, [home])
    await world.say(world.admin, `user link ${name} discord:${account.id}`)
    return { person, account, someone: someone(account) }
  }

  async function restart(): Promise<void> {
    await now.stop()
    await freeAll(world)
    now = await live()
  }

  const rig: ChatRig = {
    world,
    surface: 'discord',
    stranger: (handle) => someone(discord.person(handle, [home])),
    member,
    restart,
    violations: () => [
      ...discord.violations,
      ...discord
        .refused()
        .filter((one) => one.code !== 40060)
        .map((one) => `${one.method} ${one.path}: ${JSON.stringify(one.answer)}`),
    ],
    async [Symbol.asyncDispose]() {
      await now.stop()
      await discord.stop()
      await world[Symbol.asyncDispose]()
    },
  }
  return {
    rig,
    world,
    discord,
    home,
    said,
    member,
    restart,
    someone,
    last,
    next,
    fresh,
    snapshot,
    quiet,
    seen,
    process: () => now,
    channel: home satisfies Where,
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  }
}

export type DiscordRig = Awaited<ReturnType<typeof createDiscordRig>>
