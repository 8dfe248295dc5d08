import type { Command } from '../command/define.ts'
import type { Door } from '../door/door.ts'
import { newId } from '../model/id.ts'
import type { Actor, Surface } from '../model/person.ts'
import { formatVisitor, type Visitor } from '../model/visitor.ts'
import type { Works } from '../operation/define.ts'
import type { Log } from '../operation/runner.ts'
import { DcmError } from '../reply/error.ts'
import { type Action, info, refusal, type Reply } from '../reply/reply.ts'
import { explain } from '../operation/explain.ts'
import type { OutboxRow } from '../store/outbox.ts'
import {
  composeLetter,
  openAddress,
  openLetter,
  owe,
  pageOf,
  pagesOf,
  sealAddress,
  sealLetter,
  type Stored,
} from './letter.ts'
import { noticeEnding, tellNotices } from './notices.ts'
import { type Button, type Errand, type Input, type Letter, type Outlet, type Placed, Undelivered } from './outlet.ts'
import { afterPress, presser, readPress } from './press.ts'

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
}

const lease = 20_000
/** How often the outbox is looked at when nothing wakes it; on PostgreSQL other processes may put calls into it. */
const every = { embedded: 1000, postgres: 300 }
/** Rows that are worked on at a time: a call that waits for an operation costs a few promises. */
const atOnce = 500
/** How long a message is tried. */
const patience = 24 * 3_600_000
/** When somebody who waits first hears how it goes, and how often then. */
const progressAfter = 1500
const progressEvery = 4000

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
  const { works, door, log, holder, commands, storeWithin = 10_000 } = deps
  const { store, seal, random } = works
  const outlets = new Map<string, Outlet>()
  const live = new Map<string, Promise<void>>()
  /** Places that asked for a pause, and until when. */
  const paused = new Map<string, number>()
  /** Calls that were answered with «nothing was done» and must not be carried out if they show up after all. */
  const given = new Set<string>()
  const over = new AbortController()
  let wake: () => void = () => undefined
  let running: Promise<void> | undefined

  const identify: Chat['identify'] = (visitor, channel) =>
    door.identify(
      { kind: 'chat', visitor },
      { surface: visitor.platform as Surface, address: `${formatVisitor(visitor)}${channel ? ` in ${channel}` : ''}` },
    )

  async function take(errand: Errand): Promise<'taken' | 'known'> {
    const id = newId(random)
    const { visitor, key, address } = errand
    const call: Called = { visitor, input: errand.input, ...(errand.channel ? { channel: errand.channel } : {}) }
    const row = {
      id,
      platform: visitor.platform,
      key,
      visitor: formatVisitor(visitor),
      address: sealAddress(seal, id, address),
      call: seal.seal(JSON.stringify(call), `call/${id}`),
      status: 'called' as const,
    }
    const leased = running && !over.signal.aborted ? { holder, ms: lease } : undefined
    let late = false
    const storing = store.tx(async (tx) => {
      const stored = await tx.outbox.insert(row, leased)
      if (late) throw new DcmError('unavailable', 'It took too long to store.')
      return stored
    })
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true
        reject(
          new DcmError(
            'unavailable',
            'DCM could not take that down in time, so nothing was done; try again in a minute.',
          ),
        )
      }, storeWithin)
    })
    try {
      const stored = await Promise.race([storing, deadline])
      if (!stored) return 'known'
      if (leased) launch(stored)
      return 'taken'
    } catch (error) {
      // A commit whose answer was lost may still have happened: then it is taken back before anyone sees it.
      given.add(id)
      void forget(id, storing)
      const said = explain(error)
      throw new DcmError('unavailable', 'DCM could not take that down, so nothing was done; try again in a minute.', {
        cause: said.cause ?? said,
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Takes a call back of which the caller was told that nothing was done. */
  async function forget(id: string, storing: Promise<unknown>): Promise<void> {
    await storing.catch(() => undefined)
    for (let tries = 0; tries < 100 && !over.signal.aborted; tries++) {
      const gone = await store.outbox.drop(id).then(
        () => true,
        () => false,
      )
      if (gone) break
      await works.sleep(5000)
    }
    given.delete(id)
  }

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
    if (given.has(row.id)) return store.outbox.drop(row.id)
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

  /** Carries a stored call out and stores what is owed for it. @returns undefined when this process is stopping */
  async function answer(row: OutboxRow, outlet: Outlet): Promise<OutboxRow | undefined> {
    const call = JSON.parse(seal.open(row.call!, `call/${row.id}`)) as Called
    const address = openAddress(seal, row.id, row.address)
    const actor = await identify(call.visitor, call.channel)
    const again = row.fence > 1
    let { place } = row
    let telling: Promise<void> = Promise.resolve()
    let last = performance.now() - progressEvery + progressAfter
    let ended = false
    const progress = (text: string) => {
      if (!outlet.progress || ended || performance.now() - last < progressEvery) return
      last = performance.now()
      telling = telling
        .then(async () => {
          if (ended) return
          const put = await outlet.progress!(address, text, place)
          if (!put) return
          place = put
          await store.outbox.save(row.id, row.fence, { place })
        })
        .catch((err: unknown) => log.debug({ message: row.id, err }, 'progress could not be told'))
    }
    // Nothing may be said for a while by what is being done itself, so the first word comes by the clock.
    const soon = setTimeout(() => progress('working on it'), progressAfter + 10)
    let result: { reply: Reply; instead: boolean; at?: number; of?: string }
    try {
      result = await carryOut(call.input, actor, row.id, again, progress)
    } finally {
      clearTimeout(soon)
      ended = true
      await telling
    }
    // What goes on after this process has stopped is waited for by the next one.
    if (result.reply.operation?.state === 'running') {
      await store.outbox.postpone(row.id, row.fence, 0, { place })
      return undefined
    }
    return store.tx(async (tx) => {
      const { reply, instead, ...page } = result
      const { post, ...shown } = reply
      const letter: Stored = {
        ...(await composeLetter(tx, works, { outboxId: row.id, reply: shown, asker: presser(actor), instead })),
        ...page,
      }
      const sealed = sealLetter(seal, row.id, letter)
      if (!(await tx.outbox.save(row.id, row.fence, { letter: sealed, status: 'owed', place })))
        throw new Error('another process has taken over')
      if (post) await owe(tx, works, { platform: row.platform, address, reply: info(post), open: true })
      return { ...row, letter: sealed, status: 'owed' as const, place }
    })
  }

  async function carryOut(
    input: Input,
    actor: Actor,
    id: string,
    again: boolean,
    progress: (text: string) => void,
  ): Promise<{ reply: Reply; instead: boolean; at?: number; of?: string }> {
    const call = { actor, requestId: id, ...(again ? { again } : {}) }
    const waiting = { progress, signal: over.signal }
    if ('page' in input) return { ...(await turn(input, actor)), instead: true }
    if (!('press' in input)) return { reply: await door.handle({ ...call, input }, waiting), instead: false }
    const press = await readPress(works, commands, actor, input.press, id, again)
    if (!('line' in press)) return press
    const reply = await door.handle({ ...call, input: { line: press.line } }, waiting)
    if (reply.operation?.state !== 'running') await afterPress(works, press, reply)
    return { reply, instead: press.instead }
  }

  /** Another page of what was answered before; nothing is run again. */
  async function turn(
    input: { page: string; at: number },
    actor: Actor,
  ): Promise<{ reply: Reply; at?: number; of?: string }> {
    const row = await store.outbox.byId(input.page)
    const mine = row?.letter && row.visitor !== null && actor.visitor && row.visitor === formatVisitor(actor.visitor)
    if (!mine)
      return { reply: refusal(new DcmError('not_found', 'That list is not kept any more; type the command again.')) }
    const { reply } = openLetter(seal, row.id, row.letter!)
    const at = Math.max(0, Math.min(pagesOf(reply) - 1, Math.trunc(input.at) || 0))
    const { actions: _, ...whole } = reply
    return { reply: whole, at, of: row.id }
  }

  async function deliver(row: OutboxRow, outlet: Outlet): Promise<void> {
    const stored = openLetter(seal, row.id, row.letter!)
    const address = openAddress(seal, row.id, row.address)
    const where = `${row.platform}/${address.scope}`
    const pause = (paused.get(where) ?? 0) - performance.now()
    if (pause > 0) return store.outbox.postpone(row.id, row.fence, pause, {})
    const at = stored.at ?? 0
    const of = pagesOf(stored.reply)
    const letter: Letter = {
      id: row.id,
      reply: pageOf(stored.reply, at),
      buttons: stored.buttons,
      ...(of > 1 ? { page: { id: stored.of ?? row.id, at, of } } : {}),
      instead: stored.instead ?? false,
      open: stored.open ?? false,
      repeat: row.sends > 0 && row.place === null,
    }
    // Counted before, so that whoever takes over after a crash knows that it may have arrived.
    if (!(await store.outbox.save(row.id, row.fence, { sends: row.sends + 1 }))) return
    let place: Placed
    try {
      place = await outlet.send(address, letter, row.place)
    } catch (error) {
      const known = error instanceof Undelivered
      if (known && error.later === undefined) {
        log.warn({ message: row.id, platform: row.platform, err: error }, 'a message cannot be delivered')
        return store.outbox.drop(row.id)
      }
      const wait =
        known && error.later !== undefined ? error.later : Math.min(300_000, 1000 * 2 ** Math.min(row.attempts, 8))
      if (known && error.all) paused.set(where, performance.now() + wait)
      // A platform that says no has not put it anywhere, so the next try is no repeat.
      await store.outbox.postpone(row.id, row.fence, wait, {
        attempts: row.attempts + 1,
        ...(known ? { sends: row.sends } : {}),
      })
      if (!known)
        log.warn(
          { message: row.id, platform: row.platform, err: error },
          'a message could not be sent; it is tried again',
        )
      return
    }
    await store.outbox.sent(row.id, row.fence, row.revision, place)
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
    identify,
    take,
    attach: (outlet) => {
      outlets.set(outlet.platform, outlet)
      wake()
    },
    async left(visitor) {
      const row = await store.identities.remove(visitor)
      if (!row) return
      await store.audit.add({
        actor: null,
        as: null,
        surface: visitor.platform,
        address: formatVisitor(visitor),
        command: 'unlink',
        target: formatVisitor(visitor),
        decision: 'done',
        requestId: newId(random),
        detail: 'The account left or was deactivated.',
      })
    },
    installed: (platform, scope, secret) =>
      store.identities.install(
        platform,
        scope,
        secret === null ? null : seal.seal(secret, `installation/${platform}/${scope}`),
      ),
    async installation(platform, scope) {
      const row = await store.identities.installation(platform, scope)
      return (
        row && {
          secret: row.sealed === null ? null : seal.open(row.sealed, `installation/${platform}/${scope}`),
          cut: row.cutAt !== null,
        }
      )
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
    async cut(platform, scope, at = works.now()) {
      if (!(await store.identities.cut(platform, scope, at))) return
      await store.audit.add({
        actor: null,
        as: null,
        surface: platform,
        command: 'uninstalled',
        target: `${platform}:${scope}`,
        decision: 'done',
        requestId: newId(random),
      })
    },
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

/** A call as it is stored. */
type Called = { visitor: Visitor; input: Input; channel?: string }
