import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import { HostError } from '../host/fault.ts'
import type { Container } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { engineIdOf } from './locate.ts'
import { explain } from '../operation/explain.ts'
import { DcmError } from '../reply/error.ts'

/** Containers whose load is asked for at one time: the engine takes about a second for each. */
const together = 16

/** What a caller may watch. */
export function createWatch(works: Works): (caller: Caller) => Context['watch'] {
  const { store } = works
  const engineOf = (container: Container) => works.host(container.hostId).engine

  return (caller) => ({
    async processes(container) {
      try {
        return await engineOf(container).processes(engineIdOf(container))
      } catch (error) {
        if (!(error instanceof HostError && (error.fault === 'taken' || /is not running/.test(error.message))))
          throw explain(error)
        throw new DcmError('conflict', `${container.name} is not running, so nothing runs inside.`, {
          try: `start ${container.name}`,
        })
      }
    },
    async load(containers) {
      const loads: Awaited<ReturnType<Context['watch']['load']>> = []
      for (let at = 0; at < containers.length; at += together) {
        const some = containers.slice(at, at + together).map(async (container) => {
          if (!container.engineId || (container.state !== 'running' && container.state !== 'paused')) return null
          try {
            return (await engineOf(container).load(container.engineId)) ?? null
          } catch (error) {
            // One that ended just now says nothing; that the engine is away is said once, by all of them.
            if (error instanceof HostError && error.fault !== 'down') return null
            throw explain(error)
          }
        })
        loads.push(...(await Promise.all(some)))
      }
      return loads
    },
    async changes(container, most) {
      try {
        return await engineOf(container).changes(engineIdOf(container), most)
      } catch (error) {
        throw explain(error)
      }
    },
    async happenings({ container, since, limit }) {
      const person = container ? await store.people.byId(container.ownerId) : caller.person
      if (!person) return []
      const rows = await store.audit.happened({ person, container: container?.name, since, limit })
      return rows.map((row) => ({
        at: row.at,
        by: row.actor,
        what: row.command,
        target: row.target,
        ended: row.decision === 'failed' ? ('failed' as const) : ('done' as const),
        detail: row.detail,
      }))
    },
  })
}
