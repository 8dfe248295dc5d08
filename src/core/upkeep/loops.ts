import { pause } from '../operation/pause.ts'
import { follow } from './follow.ts'
import { endShares, expire, fireSchedules } from './clock.ts'
import { watchCommands } from './commands.ts'
import { measureDisk } from './disk.ts'
import { type Looks, watchHealth } from './health.ts'
import { stopIdle } from './idle.ts'
import { settleNetworks } from './networks.ts'
import { settlePorts } from './ports.ts'
import { tidyFolders, tidyTags, type Upkeep } from './reconcile.ts'

/** How long a lease on the loops lasts; it is renewed three times in that. */
const lease = 15_000
const day = 86_400_000

/** Runs all that has to happen by itself. One process at a time does it: whoever holds the lease. */
export type Loops = { leading(): boolean; stop(): Promise<void> }

/** Starts the loops: operations left behind, following the engine, firewall, disk, tidying. */
export function startLoops(upkeep: Upkeep, holder: string): Loops {
  const { works, runner, log } = upkeep
  const { store, settings } = works
  const { hostId } = settings
  const over = new AbortController()
  let following: { abort: AbortController; ended: Promise<void> } | undefined

  const every = (ms: number, name: string, work: () => Promise<void>): Promise<void> =>
    (async () => {
      while (!over.signal.aborted) {
        try {
          await work()
        } catch (error) {
          log.warn({ loop: name, err: error }, 'a loop could not do its work this time')
        }
        await pause(ms, over.signal)
      }
    })()

  const leading = () => following !== undefined && !following.abort.signal.aborted
  const whileLeading = (work: () => Promise<void>) => async () => (leading() ? work() : undefined)

  async function lead(): Promise<void> {
    const mine = await store.leases.take('upkeep', holder, lease).catch(() => false)
    if (mine && !leading()) {
      const abort = new AbortController()
      following = { abort, ended: follow(upkeep, hostId, abort.signal) }
      // Its loop comes round in a minute.
      firewall().catch((err: unknown) => log.warn({ err }, 'the firewall could not be looked at'))
    }
    // Without the lease another process may be doing it by now: stop at once, and wait for the next turn.
    if (!mine && leading()) following!.abort.abort()
  }

  const traffic = new Map<string, number>()
  const looks: Looks = new Map()
  let firewallSaid = ''
  async function firewall(): Promise<void> {
    const missing = (await works.host(hostId).net.ensureFirewall()).join(' ')
    if (missing !== firewallSaid && missing !== '')
      log.warn({ missing }, 'the firewall is not as it should be; doctor says more')
    firewallSaid = missing
  }

  async function tidy(): Promise<void> {
    await tidyFolders(upkeep, hostId)
    await tidyTags(upkeep, hostId)
    const old = (days: number) => new Date(works.now().getTime() - days * day)
    await store.calls.dropBefore(old(1))
    await store.outbox.dropBefore(old(8))
    await store.notices.dropBefore(old(30))
    await store.requests.dropBefore(old(400))
    await store.deliveries.dropBefore(old(30))
    await store.codes.dropOld()
    await store.sessions.dropOld()
    await store.operations.dropBefore(old(30))
    await store.audit.dropBefore(old(400))
  }

  const running = [
    every(lease / 3, 'lead', lead),
    // On PostgreSQL other processes may store what this one is to do, and somebody waits for it.
    every(store.kind === 'postgres' ? 500 : 2000, 'operations', () => runner.resume()),
    every(60_000, 'firewall', whileLeading(firewall)),
    every(
      30_000,
      'commands',
      whileLeading(() => watchCommands(upkeep, hostId)),
    ),
    every(
      60_000,
      'health',
      whileLeading(() => watchHealth(upkeep, hostId, looks)),
    ),
    every(
      5000,
      'expiry',
      whileLeading(() => expire(upkeep, hostId)),
    ),
    every(
      5000,
      'ports',
      whileLeading(() => settlePorts(upkeep, hostId)),
    ),
    every(
      30_000,
      'networks',
      whileLeading(() => settleNetworks(upkeep, hostId)),
    ),
    every(
      5000,
      'shares',
      whileLeading(() => endShares(upkeep)),
    ),
    every(
      5000,
      'schedules',
      whileLeading(() => fireSchedules(upkeep)),
    ),
    every(
      Math.min(60_000, (settings.idleStop ?? Infinity) / 8),
      'idle',
      whileLeading(() => stopIdle(upkeep, hostId, traffic)),
    ),
    every(
      60_000,
      'disk',
      whileLeading(() => measureDisk(upkeep, hostId)),
    ),
    every(300_000, 'tidy', whileLeading(tidy)),
  ]
  return {
    leading,
    async stop() {
      over.abort()
      following?.abort.abort()
      await Promise.race([Promise.all([...running, following?.ended]), works.sleep(5000)])
      await store.leases.drop('upkeep', holder).catch(() => undefined)
    },
  }
}
