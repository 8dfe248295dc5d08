import { createChat } from '../../../src/core/chat/chat.ts'
import type { Address, Errand, Input, Letter, Outlet, Placed } from '../../../src/core/chat/outlet.ts'
import { commands } from '../../../src/commands/index.ts'
import type { Visitor } from '../../../src/core/model/visitor.ts'
import { createWorld } from '../door/world.ts'

/** What a platform got. */
export type Sent = { address: Address; letter: Letter; placed: Placed | null }

/** A platform that keeps what it is sent, and fails as it is told to. */
export function createOutlet(platform = 'slack') {
  const sent: Sent[] = []
  const told: string[] = []
  let failing: (() => Promise<void>) | undefined
  const outlet: Outlet = {
    platform,
    async send(address, letter, placed) {
      await failing?.()
      sent.push({ address, letter, placed })
      return { ts: `${sent.length}` }
    },
    async progress(_address, text, placed) {
      told.push(text)
      return placed ?? { ts: 'progress' }
    },
  }
  return { outlet, sent, told, fail: (how?: () => Promise<void>) => void (failing = how) }
}

/** A world with a chat in it. */
export async function createRoom(options: Parameters<typeof createWorld>[0] = {}) {
  const world = await createWorld(options)
  const { works, door } = world
  const platform = createOutlet()
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const make = (holder = 'chat') => {
    const chat = createChat({ works, door, commands, log, holder })
    chat.attach(platform.outlet)
    return chat
  }
  const chat = make()
  let deliveries = 0
  const visitor = (user: string, scope = 'T1'): Visitor => ({
    platform: 'slack',
    scope,
    user,
    label: user.toLowerCase(),
  })
  const errand = (who: Visitor, input: Input, key = `d${++deliveries}`): Errand => ({
    visitor: who,
    key,
    input,
    address: { kind: 'call', scope: who.scope, key },
  })
  /** Does something in the chat and gives what came of it. */
  const act = async (who: Visitor, input: Input, key?: string): Promise<Letter> => {
    const before = platform.sent.length
    await chat.take(errand(who, input, key))
    await chat.settle()
    const last = platform.sent.slice(before).find((one) => !one.letter.open)
    if (!last) throw new Error('nothing was sent')
    return last.letter
  }
  const type = (who: Visitor, line: string) => act(who, { line })
  return {
    ...world,
    ...platform,
    chat,
    make,
    visitor,
    errand,
    act,
    type,
    /** A member with a key and a linked account. */
    async linked(name: string, user: string, role: 'member' | 'admin' = 'member') {
      const person = await world.member(name, role)
      const who = visitor(user)
      const reply = await world.say(world.admin, `user link ${name} slack:T1/${user}`)
      if (reply.error) throw new Error(reply.text)
      return { person, who }
    },
    async [Symbol.asyncDispose]() {
      await chat.stop(1000)
      await world[Symbol.asyncDispose]()
    },
  }
}

export type Room = Awaited<ReturnType<typeof createRoom>>
