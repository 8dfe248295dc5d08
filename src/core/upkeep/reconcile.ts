import { newId, type Random } from '../model/id.ts'
import { noticeOf } from '../people/notices.ts'
import type { Container } from '../model/container.ts'
import type { Seen } from '../host/engine.ts'
import { isFault } from '../host/fault.ts'
import type { Works } from '../operation/define.ts'
import { systemAsker } from '../operation/asker.ts'
import type { Log } from '../model/log.ts'
import type { Runner } from '../operation/runner.ts'
import type { Tables } from '../store/store.ts'
import { DcmError } from '../reply/error.ts'
import { locate } from '../containers/locate.ts'
import { syncKeys, syncSecrets } from '../containers/runfolder.ts'
import { dropTag } from '../containers/tags.ts'
import { type Ended, judge } from './judge.ts'

/** What reconciling works with. */
export type Upkeep = { works: Works; runner: Runner; log: Log }

/** What was found on a host that the database does not know of: told, never adopted or removed. */
export type Strays = { containers: string[]; networks: string[] }

const backoff = (revivals: number) => Math.min(600_000, 5000 * 2 ** revivals)

async function recordFinding(
  tx: Tables,
  random: Random,
  container: Container,
  what: string,
  detail: string,
): Promise<void> {
  await tx.audit.add({
    actor: null,
    as: null,
    surface: 'system',
    command: what,
    target: `${container.owner}/${container.name}`,
    decision: 'done',
    requestId: newId(random),
    detail,
  })
}

/** What its owner may do about a container that is not as wanted any more. */
const upAgain = (name: string) => [
  { label: 'Start it', line: `start ${name}` },
  { label: 'Show its log', line: `logs ${name}` },
]

/**
 * Makes one container as it is wanted, and the database as it is.
 * @returns false, with nothing done, while an operation has it in hand
 */
export async function settleOne(upkeep: Upkeep, id: string, seen: Seen | undefined, ended: Ended): Promise<boolean> {
  if (await upkeep.works.store.operations.openOn(`container:${id}`)) return false
  await settleFree(upkeep, id, seen, ended)
  return true
}

async function settleFree(upkeep: Upkeep, id: string, seen: Seen | undefined, ended: Ended): Promise<void> {
  const { works, runner, log } = upkeep
  const { store } = works
  // Read after the lock was seen free: what an operation has just stored counts, not what it was before.
  const container = await store.containers.byId(id)
  if (!container || container.state === 'creating') return
  const row = await store.containers.row(id)
  if (!row) return
  const { engine } = works.host(container.hostId)
  // What was looked at may be what it was before it was made anew. What it is now has events of its own to tell it by.
  if (container.engineId !== null && seen?.engineId !== container.engineId && (await locate(engine, container))) return
  // One that was lost stays lost until it has come up again.
  const verdict = judge(container, seen, row.revivals > 0 ? { seen: false } : ended)
  if (seen && seen.state !== container.state && verdict.do !== 'accept') {
    const full = await engine.inspect(seen.engineId)
    await store.containers.update(id, {
      state: full.state,
      ...(full.startedAt ? { startedAt: full.startedAt } : {}),
      ...(full.state === 'exited' ? { exitCode: full.exitCode ?? null, finishedAt: full.finishedAt ?? null } : {}),
    })
  }
  switch (verdict.do) {
    case 'nothing':
      return
    case 'accept': {
      const full = await engine.inspect(seen!.engineId)
      if (full.state !== 'exited' && full.state !== 'dead') return
      const exitCode = full.exitCode ?? verdict.exitCode
      const finishedAt = full.finishedAt ?? works.now()
      const how = full.oomKilled ? 'ran out of memory and ended' : 'ended by itself'
      const code = exitCode === null || exitCode === undefined ? '' : `, with exit code ${exitCode}`
      // At once with what is told of it: once it is stored, nobody finds it again.
      return store.tx(async (tx) => {
        const changes = {
          ...{ state: full.state, desired: 'exited' as const, exitCode, finishedAt },
          trouble: full.oomKilled ? 'It ran out of memory.' : null,
        }
        // Two events of one end may be looked at side by side.
        if (!(await tx.containers.updateUnless({ desired: 'exited' }, id, changes))) return
        const kind = full.oomKilled ? 'oom' : 'died'
        const text = `${container.name} ${how}${code}.`
        const when = finishedAt.toISOString()
        await noticeOf(tx, works.random, container, { kind, when, text, actions: upAgain(container.name) })
        const detail = `It ended by itself with exit code ${exitCode ?? 'unknown'}.`
        await recordFinding(tx, works.random, container, 'exited', detail)
      })
    }
    case 'miss':
      return store.tx(async (tx) => {
        const changes = {
          ...{ state: 'missing' as const, desired: 'exited' as const },
          trouble: 'It is gone from Docker, and what was inside with it; remove it with rm.',
        }
        if (!(await tx.containers.updateUnless({ state: 'missing' }, id, changes))) return
        const text = `${container.name} is gone from Docker, and what was inside with it; somebody removed it there.`
        const actions = [{ label: 'Remove it', line: `rm ${container.name}`, danger: true as const }]
        await noticeOf(tx, works.random, container, { kind: 'missing', when: 'once', text, actions })
        const detail = 'Its container is gone from Docker; somebody removed it there.'
        await recordFinding(tx, works.random, container, 'missing', detail)
      })
    case 'stop':
      await engine.stop(seen!.engineId, 10)
      await recordFinding(
        store,
        works.random,
        container,
        'stopped',
        'It ran though it was not wanted running; somebody started it in Docker.',
      )
      return
    case 'pause':
      return engine.pause(seen!.engineId)
    case 'unpause':
      return engine.unpause(seen!.engineId)
    case 'revive': {
      if (row.reviveAt && row.reviveAt > works.now()) return
      await store.containers.update(id, {
        revivals: row.revivals + 1,
        reviveAt: new Date(works.now().getTime() + backoff(row.revivals)),
      })
      const asker = systemAsker(works.random, 'revive', { ownerId: container.ownerId, target: container.name })
      await runner.begin('revive', { containerId: id }, asker).catch(async (error: unknown) => {
        if (!(error instanceof DcmError)) throw error
        // What it was granted is revoked: it gives its share back, and its owner reads why.
        if (error.code === 'denied') {
          return store.tx(async (tx) => {
            await tx.containers.update(id, { desired: 'exited', trouble: error.message })
            await recordFinding(tx, works.random, container, 'exited', error.message)
          })
        }
        log.warn({ container: id, err: error }, 'a container that was lost cannot be started again now')
      })
    }
  }
}

/**
 * Lists a host's engine anew and settles everything on it. `ended` says what is known of containers that are not
 * running any more; without a word of it they count as lost.
 * @returns what nobody knows
 */
export async function reconcile(upkeep: Upkeep, hostId: string, ended: (engineId: string) => Ended): Promise<Strays> {
  const { works, log } = upkeep
  const { store } = works
  const host = works.host(hostId)
  // The rows first: what is created between the two looks is then in the list and not missed.
  const rows = await store.containers.onHost(hostId)
  const list = await host.engine.list()
  const byName = new Map(list.map((seen) => [seen.engineName, seen]))
  const byId = new Map(list.map((seen) => [seen.engineId, seen]))
  // By its id first: somebody may have given it another name.
  const find = (row: Container) => (row.engineId ? byId.get(row.engineId) : undefined) ?? byName.get(row.engineName)
  for (const row of rows) {
    const seen = find(row)
    const quiet = seen && seen.state === row.state && row.desired === row.state
    if (quiet) continue
    try {
      await settleOne(upkeep, row.id, seen, seen ? ended(seen.engineId) : { seen: false })
    } catch (error) {
      if (isFault(error, 'down')) throw error
      log.warn({ container: row.id, err: error }, 'a container could not be settled; it is tried again')
    }
  }
  await store.hosts.seen(hostId)
  return findStrays(
    works,
    hostId,
    list.filter((seen) => !rows.some((row) => find(row) === seen)),
  )
}

/** What is on a host under this instance's name that the database does not know of. `list` is what the engine has. */
export async function findStrays(
  { store, host }: Pick<Works, 'store' | 'host'>,
  hostId: string,
  list: readonly Seen[],
): Promise<Strays> {
  const known = new Set((await store.containers.onHost(hostId)).flatMap((row) => [row.engineName, row.engineId]))
  const networks = new Set((await store.hosts.networks(hostId)).map((row) => row.name))
  return {
    containers: list
      .filter((seen) => !known.has(seen.engineName) && !known.has(seen.engineId))
      .map((seen) => seen.engineName),
    networks: (await host(hostId).engine.networks())
      .filter((network) => network.own && !networks.has(network.name))
      .map((network) => network.name),
  }
}

/** Brings what is on disk in line with the database: keys as they are now, and no folder of a container that is gone. */
export async function tidyFolders({ works, log }: Upkeep, hostId: string): Promise<void> {
  const host = works.host(hostId)
  const onDisk = await host.files.list()
  const rows = await works.store.containers.onHost(hostId)
  const known = new Set(rows.map((row) => row.id))
  for (const row of rows) {
    if (!onDisk.runs.includes(row.id)) continue
    await syncKeys(works, row)
    await syncSecrets(works, row)
  }
  for (const id of onDisk.runs) {
    if (known.has(id) || (await works.store.containers.byId(id))) continue
    log.info({ run: id }, 'removing the folder of a container that is gone')
    await host.files.removeRun(id)
  }
}

/** Drops image tags of this instance that no image and no operation under way has. */
export async function tidyTags({ works, log }: Upkeep, hostId: string): Promise<void> {
  const host = works.host(hostId)
  for (const { ref } of await host.engine.imageTags()) {
    const id = /^dcm\/[^/]+\/([a-z0-9]+):/.exec(ref)?.[1]
    const operation = id ? await works.store.operations.byId(id) : undefined
    if (!id || operation?.status === 'open' || operation?.status === 'undoing') continue
    if ((await works.store.images.all()).some((image) => image.engineRef === ref)) continue
    log.info({ ref }, 'dropping an image that nobody has any more')
    await dropTag(host, ref)
  }
}
