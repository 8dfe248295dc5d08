import type { Command } from '../command/define.ts'
import type { Door } from '../door/door.ts'
import type { Actor, Surface } from '../model/person.ts'
import { formatVisitor, type Visitor } from '../model/visitor.ts'
import type { Works } from '../operation/define.ts'
import type { Log } from '../model/log.ts'
import { type Action, info, type Reply } from '../reply/reply.ts'
import type { OutboxRow } from '../store/outbox.ts'
import { createAnswer } from './answer.ts'
import { createDeliver } from './deliver.ts'
import { composeLetter, owe } from './letter.ts'
import { noticeEnding } from '../people/notices.ts'
import { tellNotices } from './notices.ts'
import type { Button, Errand, Outlet } from './outlet.ts'
import { createPlaces } from './places.ts'
import { presser } from './press.ts'
import { createTake, lease } from './take.ts'

/** What an adapter of a chat platform holds, beside the door. */
export type Chat = {
  /** Who this is, for what an adapter has to show at once: completions, a home page. */
  identify(visitor: Visitor, channel?: string): Promise<Actor>
  /**
   * Stores a call, from which moment its answer arrives whatever happens. An acknowledgement never waits for this.
   * @returns `known` when this very delivery was stored before
   * @throws DcmError `unavailable` when it could not be stored in time: then nothing was done, and nothing will be
   */
  take(errand: Errand): Promise<'taken' | 'known'>
  /** From now on messages for this platform are sent through here. */
  attach(outlet: Outlet): void
  /** Somebody left or was deactivated: they are a stranger from now on. */
  left(visitor: Pick<Visitor, 'platform' | 'scope' | 'user'>): Promise<void>
  /** Buttons for something that is no message, such as a home page: pressed like all others, by this actor. */
  buttons(actor: Actor, actions: readonly Action[]): Promise<Button[]>
  /** Where DCM is installed. `sealed` is whatever the adapter needs there; only it reads it. */
  installed(platform: string, scope: string, secret: string | null): Promise<void>
  installation(platform: string, scope: string): Promise<{ secret: string | null; cut: boolean } | undefined>
  /** It was thrown out there, at `at`: tokens are forgotten, members of that place are strangers. Older than an installation, it is late news. */
  cut(platform: string, scope: string, at?: Date): Promise<void>
  /** Owes a message to a place; for what an adapter has to say by itself. */
  say(platform: string, address: Errand['address'], reply: Reply): Promise<void>
}

export type ChatDeps = {
  works: Works
  door: Door
  commands: readonly Command[]
  log: Log
  holder: string
  /** Milliseconds that a call may take to be stored. */
  storeWithin?: number
  /** Hears of work that goes on by itself. */
  background?: (work: Promise<unknown>) => void
}

/** How often the outbox is looked at when nothing wakes it; on PostgreSQL other processes may put calls into it. */
const every = { embedded: 1000, postgres: 300 }
/** Rows that are worked on at a time: a call that waits for an operation costs a few promises. */
const atOnce = 500
/** How long a message is tried. */
const patience = 24 * 3_600_000

/** A worker's turn over the outbox; whoever holds `upkeep` also tells notices. */
export type ChatWorker = Chat & {
  /** Starts sending. `leading` says whether this process does what only one may do. */
  start(leading: () => boolean): void
  /** Takes no more, and leaves what is under way to the next start. */
  stop(ms: number): Promise<void>
  /** Looks at the outbox once, now, and waits until what was due has been worked on. For tests. */
  settle(): Promise<void>
}

/** Calls from chats and messages to them: stored, carried out, and sent until they have arrived. */
export function createChat(deps: ChatDeps): ChatWorker {
  const { works, door, log, holder, commands } = deps
  const { store, seal, random } = works
  const outlets = new Map<string, Outlet>()
  const live = new Map<string, Promise<void>>()
  const over = new AbortController()
  let wake: () => void = () => undefined
  let running: Promise<void> | undefined

  const identify: Chat['identify'] = (visitor, channel) =>
    door.identify(
      { kind: 'chat', visitor },
      { surface: visitor.platform as Surface, address: `${formatVisitor(visitor)}${channel ? ` in ${channel}` : ''}` },
    )

  const taker = createTake({
    works,
    holder,
    log,
    within: deps.storeWithin ?? 10_000,
    over: over.signal,
    background: deps.background,
    // A process that sends nothing leaves what it stored to those who do.
    launch: (row) => (running && !over.signal.aborted ? (launch(row), true) : false),
  })
  const answer = createAnswer({ works, door, commands, log, identify, over: over.signal })
  const deliver = createDeliver({ works, log })

  function launch(row: OutboxRow): void {
    const beat = setInterval(
      () => void store.outbox.heartbeat(row.id, row.fence, lease).catch(() => undefined),
      lease / 3,
    )
    const ended = work(row)
      .catch((err: unknown) => log.warn({ message: row.id, err }, 'a message of the outbox has to wait'))
      .finally(() => {
        clearInterval(beat)
        live.delete(row.id)
      })
    live.set(row.id, ended)
  }

  async function work(row: OutboxRow): Promise<void> {
    if (taker.isTakenBack(row.id)) return store.outbox.drop(row.id)
    const outlet = outlets.get(row.platform)
    if (!outlet) return store.outbox.postpone(row.id, row.fence, 5000, {})
    if (works.now().getTime() - row.createdAt.getTime() > patience && row.attempts > 0) return store.outbox.drop(row.id)
    let now = row
    try {
      if (row.status === 'called') {
        const answered = await answer(row, outlet)
        if (!answered) return
        now = answered
      }
    } catch (error) {
      const wait = Math.min(60_000, 1000 * 2 ** Math.min(row.attempts, 6))
      await store.outbox.postpone(row.id, row.fence, wait, { attempts: row.attempts + 1 })
      throw error
    }
    await deliver(now, outlet)
  }

  async function look(): Promise<void> {
    const room = atOnce - live.size
    if (room <= 0) return
    for (const row of await store.outbox.claim([...outlets.keys()], { holder, ms: lease }, Math.min(room, 100)))
      if (!live.has(row.id)) launch(row)
  }

  async function run(leading: () => boolean): Promise<void> {
    let [told, looked] = [-Infinity, -Infinity]
    while (!over.signal.aborted) {
      try {
        await look()
        const now = performance.now()
        if (leading() && now - told >= 1000) {
          told = now
          await tellNotices({ store, seal, random })
          if (now - looked >= 60_000) {
            looked = now
            await noticeEnding({ store, random, now: works.now })
          }
        }
      } catch (err) {
        log.warn({ loop: 'chat', err }, 'a loop could not do its work this time')
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, every[store.kind])
        wake = () => (clearTimeout(timer), resolve())
      })
    }
  }

  return {
    ...createPlaces(works),
    identify,
    take: taker.take,
    attach: (outlet) => {
      outlets.set(outlet.platform, outlet)
      wake()
    },
    buttons: (actor, actions) =>
      store.tx(
        async (tx) =>
          (
            await composeLetter(tx, works, {
              outboxId: null,
              reply: info('', { actions: [...actions] }),
              asker: presser(actor),
            })
          ).buttons,
      ),
    async say(platform, address, reply) {
      await store.tx((tx) => owe(tx, works, { platform, address, reply }))
      wake()
    },
    start(leading) {
      running ??= run(leading)
    },
    async settle() {
      for (let n = 0; n < 200; n++) {
        await look()
        if (live.size === 0) return
        await Promise.all(live.values())
      }
    },
    async stop(ms) {
      over.abort()
      wake()
      await Promise.race([Promise.all([running, ...live.values()]), works.sleep(ms)])
    },
  }
}
