import { locate } from '../containers/locate.ts'
import { HostError, isFault } from '../host/fault.ts'
import type { Container } from '../model/container.ts'
import type { Ended } from './judge.ts'
import { reconcile, settleOne, type Strays, type Upkeep } from './reconcile.ts'

/** How long after an end the engine has to be there still, for the end to count as the container's own. */
const afterEnd = 1500
const heartbeat = 5000
/** Heartbeats between two listings of everything. */
const listEvery = 6

/**
 * Follows a host's events so that the database says what the engine says. Lists anew at the start, after every gap and
 * now and then. Returns when `signal` says so; until then it never gives up.
 */
export async function follow(upkeep: Upkeep, hostId: string, signal: AbortSignal): Promise<void> {
  const { works, log } = upkeep
  const { store } = works
  const { engine } = works.host(hostId)
  // Null: this process has not seen the engine yet, so it asks what happened since DCM last did.
  let broken: 'engine' | null = null
  let silent = 0
  // What happened to containers that an operation had in hand: what it leaves behind is looked at once it has ended.
  const owed = new Map<string, Ended>()

  // Told once, and again when it changes: somebody made or left it there, and only they know what it is for.
  let strange = ''
  const tell = (strays: Strays) => {
    const now = [...strays.containers, ...strays.networks].toSorted().join(', ')
    if (now !== strange && now !== '')
      log.warn(
        { host: hostId, ...strays },
        'Docker has objects under the name of this DCM that DCM does not know; they are left alone',
      )
    strange = now
  }

  while (!signal.aborted) {
    const link = new AbortController()
    const stop = () => link.abort()
    signal.addEventListener('abort', stop, { once: true })
    // The listing that every new link begins with sees all of it.
    owed.clear()
    try {
      const since = (await store.hosts.byId(hostId))?.seenAt ?? new Date(0)
      let beat: NodeJS.Timeout | undefined
      const listened = listen(link.signal, async () => {
        const ended = await whatEnded(since)
        tell(await reconcile(upkeep, hostId, ended))
        // The link may be gone by the time everything is listed; a beat that began then would never end.
        if (link.signal.aborted) return
        let beats = 0
        let looking = false
        beat = setInterval(() => {
          if (looking) return
          looking = true
          // Over an unbroken link every end was seen, even one whose event could not be acted on.
          const look =
            ++beats % listEvery === 0
              ? reconcile(upkeep, hostId, () => ({ seen: true, exitCode: null })).then(tell)
              : engine.ping().then(settleOwed)
          look
            .then(
              () => store.hosts.seen(hostId).catch(() => undefined),
              // A database that is away says nothing about the link: the next look tries again.
              (error: unknown) => {
                if (error instanceof HostError) link.abort()
                else log.warn({ host: hostId, err: error }, 'what is could not be compared with what is wanted')
              },
            )
            .finally(() => (looking = false))
        }, heartbeat)
      }).finally(() => clearInterval(beat))
      await listened
    } catch (error) {
      if (!isFault(error, 'down')) log.warn({ host: hostId, err: error }, 'following the engine broke; starting over')
    } finally {
      signal.removeEventListener('abort', stop)
      link.abort()
    }
    if (signal.aborted) return
    const there = await engine.ping().then(
      () => true,
      () => false,
    )
    // One ping may be lost with the link alone; an engine that was started anew in between says so itself.
    silent = there ? 0 : silent + 1
    if (!there) await store.hosts.unreachable(hostId).catch(() => undefined)
    if (silent > 1) {
      if (broken === null) log.warn({ host: hostId }, 'Docker does not answer; states are kept as they were last seen')
      broken = 'engine'
    }
    await works.sleep(there ? 200 : 1000)
  }

  /** What is known of containers that ended while nobody looked. Those that an engine's stop took are not among them. */
  async function whatEnded(since: Date): Promise<(engineId: string) => Ended> {
    const lost = () => ({ seen: false }) as const
    if (broken === 'engine') {
      broken = null
      return lost
    }
    const { restarted, exits } = await engine.gap(since)
    if (restarted) return lost
    return (engineId) => (exits.has(engineId) ? { seen: true, exitCode: exits.get(engineId)! } : { seen: false })
  }

  /** Takes events until the link is lost. `first` runs once the engine listens, so that nothing falls between. */
  async function listen(link: AbortSignal, first: () => Promise<void>): Promise<void> {
    let ready: () => void = () => undefined
    let settled: Promise<void> = Promise.resolve()
    const listening = new Promise<void>((resolve) => (ready = resolve))
    const opening = listening.then(first)
    // Whoever waits for the events hears of a failed listing; it must not go unhandled before that.
    opening.catch(() => undefined)
    const pending: Promise<void>[] = []
    const events = engine.events(link, ready)[Symbol.asyncIterator]()
    for (;;) {
      const next = await Promise.race([events.next(), opening.then(() => new Promise<never>(() => undefined))])
      if (next.done) break
      const event = next.value
      settled = opening.then(() =>
        heard(event.engineId, event.kind === 'die' ? (event.exitCode ?? null) : undefined, link),
      )
      pending.push(
        settled.catch((error: unknown) =>
          log.warn({ host: hostId, err: error }, 'an event could not be acted on; the next listing will'),
        ),
      )
      if (pending.length > 1000) await Promise.all(pending.splice(0, 500))
    }
    await Promise.all(pending)
  }

  async function heard(engineId: string, exitCode: number | null | undefined, link: AbortSignal): Promise<void> {
    const container = await store.containers.byEngineId(engineId)
    if (!container) return
    if (exitCode !== undefined) {
      // An engine that is being stopped ends its containers too: only if it is still there was the end their own.
      await works.sleep(afterEnd)
      if (link.aborted) return
      await engine.ping()
    }
    const ended: Ended = exitCode === undefined ? { seen: false } : { seen: true, exitCode }
    if (await act(container, ended)) return
    if (ended.seen || !owed.has(container.id)) owed.set(container.id, ended)
  }

  /** @returns false while an operation has it in hand */
  async function act(container: Container, ended: Ended): Promise<boolean> {
    const seen = await locate(engine, container)
    // Before its `die` an end may already show; what it means is decided there.
    if (!ended.seen && seen && ['exited', 'dead', 'created'].includes(seen.state)) return true
    return settleOne(upkeep, container.id, seen, ended)
  }

  async function settleOwed(): Promise<void> {
    for (const [id, ended] of owed) {
      const container = await store.containers.byId(id)
      if (!container || (await act(container, ended))) owed.delete(id)
    }
  }
}
