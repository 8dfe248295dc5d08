import { createSlack, type SlackOptions } from '../../../src/adapters/slack/index.ts'
import type { ChatRig, Seen, Someone } from '../../contracts/chat.ts'
import { createKeptLog, createLife, freeAll } from '../../core/chat/life.ts'
import { createWorld } from '../../core/door/world.ts'
import { createSlackStandIn, type Message, type Person } from '../../stand-ins/slack/index.ts'
import { until } from '../../setup/until.ts'

/** All that a message shows, as one text. */
export function textOf(message: { text?: unknown; blocks?: unknown }): string {
  const parts: string[] = []
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk)
    else if (typeof value === 'object' && value !== null) {
      const one = value as Record<string, unknown>
      if (one['type'] === 'button') return
      if (typeof one['text'] === 'string') parts.push(one['text'])
      Object.values(one).forEach((inner) => typeof inner === 'object' && walk(inner))
    }
  }
  walk(message.blocks)
  return parts.length > 0 ? parts.join('\n') : typeof message.text === 'string' ? message.text : ''
}

type Process = {
  chat: ReturnType<typeof createLife>['chat']
  slack: ReturnType<typeof createSlack>
  stop(): Promise<void>
}

/** A whole core, a local Slack and the real adapter between them. */
export async function createSlackRig(
  how: 'http' | 'socket',
  options: Partial<SlackOptions> & {
    settings?: Parameters<typeof createWorld>[0]
    storeWithin?: number
    patience?: number
  } = {},
) {
  const { settings, storeWithin, patience, ...over } = options
  const world = await createWorld(settings)
  const standIn = await createSlackStandIn()
  if (patience !== undefined) standIn.limits.patience = patience
  const token = standIn.install('T1')
  standIn.join('C1')
  const { said, log } = createKeptLog()
  let lives = 0

  /** Transactions wait before they begin, or their answers after they are over, while a test says so. */
  let stalled: { before?: Promise<void>; after?: Promise<void> } = {}
  const stall: typeof world.store.tx = async (work) => {
    await stalled.before
    const result = await world.store.tx(work)
    await stalled.after
    return result
  }

  /** One life of the process that serves Slack: an own runner and door over the same store. */
  async function live(): Promise<Process> {
    const life = createLife(world, {
      ...{ holder: `life${++lives}`, log, storeWithin },
      store: { ...world.store, tx: stall },
    })
    const { door, chat } = life
    const slack = createSlack({
      door,
      chat,
      log,
      publicUrl: 'https://dcm.example',
      signingSecret: how === 'http' ? standIn.app.signingSecret : undefined,
      botToken: token,
      appToken: how === 'socket' ? standIn.app.appToken : undefined,
      clientId: undefined,
      clientSecret: undefined,
      apiUrl: standIn.apiUrl,
      authorizeUrl: standIn.authorizeUrl,
      now: standIn.now,
      ...over,
    })
    standIn.connect(how, (request) => slack.fetch(request))
    life.start()
    await slack.start()
    return {
      chat,
      slack,
      async stop() {
        await slack.stop()
        await life.stop()
      },
    }
  }
  let now = await live()

  /** Waits for what a person sees that was not there, or not so, before. */
  async function next(person: Person, before: Map<Message, number>): Promise<Message[]> {
    return until('Slack to be told something', () => {
      const fresh = standIn.messages.filter(
        (one) => (one.to === null || one.to === person.id) && before.get(one) !== one.edits && !isProgress(one),
      )
      return fresh.length > 0 && fresh
    })
  }
  const snapshot = () => new Map(standIn.messages.map((one) => [one, one.edits]))
  const isProgress = (one: Message) => one.text.endsWith('…') && one.blocks.length === 1
  const seen = (message: Message): Seen => ({
    text: textOf(message),
    buttons: standIn.buttonsOf(message).map((one) => one.label),
    private: message.to !== null || message.channel.startsWith('D'),
    raw: { ...message, ts: message.ts, message },
  })
  const back = (one: Seen) => (one.raw as { message: Message }).message

  /** Waits until all that was taken has been worked on. */
  async function quiet(): Promise<void> {
    await until(
      'the outbox to come to rest',
      async () => (await world.rows(`select id from outbox where status in ('called', 'owed')`)).length === 0,
    )
  }

  function someone(person: Person): Someone {
    return {
      async type(line) {
        const before = snapshot()
        await standIn.command(person, line)
        return seen((await next(person, before)).at(-1)!)
      },
      async press(one, label) {
        const before = snapshot()
        await standIn.press(person, back(one), label)
        return seen((await next(person, before)).at(-1)!)
      },
      async repeat(line, times) {
        const before = snapshot()
        if (how === 'http') {
          const made = standIn.commandBody(person, line)
          for (let n = 0; n < times; n++)
            await standIn.post(made.body, 'application/x-www-form-urlencoded', { retry: n })
        } else for (let n = 0; n < times; n++) await standIn.mention(person, line, { id: 'EvRepeated', retry: n })
        await next(person, before)
        await quiet()
        return (await next(person, before)).map(seen)
      },
      async mash(one, label, times) {
        const before = snapshot()
        const message = back(one)
        const copy = { ...message, blocks: message.blocks }
        const button = standIn.buttonsOf(copy).find((each) => each.label === label)
        if (!button) throw new Error(`no button ${label}`)
        await Promise.all(
          Array.from({ length: times }, () => standIn.interactive(standIn.actionBody(person, { message }, button))),
        )
        await next(person, before)
        await quiet()
        return (await next(person, before)).map(seen)
      },
      async begin(line) {
        const before = snapshot()
        const ack = await standIn.command(person, line)
        if (ack.status !== 200) throw new Error(`not acknowledged: ${ack.status}`)
        return async () => seen((await next(person, before)).at(-1)!)
      },
    }
  }

  const rig: ChatRig = {
    world,
    surface: 'slack',
    stranger: (handle) => someone(standIn.person(`U${handle.toUpperCase()}`, 'T1', handle)),
    async member(name, role = 'member') {
      const person = await world.member(name, role)
      const account = standIn.person(`U${name.toUpperCase()}`, 'T1', name)
      await world.say(world.admin, `user link ${name} slack:T1/${account.id}`)
      return { person, someone: someone(account) }
    },
    async restart() {
      const dead = now
      await dead.stop()
      await freeAll(world)
      now = await live()
    },
    violations: () => standIn.violations,
    async [Symbol.asyncDispose]() {
      await now.stop()
      await standIn.close()
      await world[Symbol.asyncDispose]()
    },
  }
  return {
    rig,
    world,
    standIn,
    token,
    said,
    someone,
    seen,
    snapshot,
    next,
    quiet,
    account: (name: string, team = 'T1') => standIn.person(`U${name.toUpperCase()}`, team, name),
    process: () => now,
    /** The database does not answer until what is given is called. */
    stall(when: 'before' | 'after') {
      const gate = Promise.withResolvers<void>()
      stalled = { [when]: gate.promise }
      return () => {
        stalled = {}
        gate.resolve()
      }
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  }
}

export type SlackRig = Awaited<ReturnType<typeof createSlackRig>>
