import type { Caller, Command } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import { HostError } from '../host/fault.ts'
import type { Container } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { engineIdOf } from './locate.ts'
import { explain } from '../operation/explain.ts'
import { DcmError } from '../reply/error.ts'

/** Containers whose load is asked for at one time: the engine takes about a second for each. */
const together = 16

/** Whether a command's audit row is about a container, which its target then begins with. */
const isAbout = ({ args, name }: Command): boolean =>
  name === 'create' || ['container', 'place'].includes(Object.values(args)[0]?.kind ?? '')

/** What a caller may watch. */
export function createWatch(works: Works, commands: readonly Command[]): (caller: Caller) => Context['watch'] {
  const { store } = works
  const about = commands.filter(isAbout)
  const namesOf = (some: readonly Command[]) => some.map(({ name }) => name)
  // A guest is told what the container went through; how its owner keeps it, in secrets for one, is not shared.
  const tells = { owner: namesOf(about), guest: namesOf(about.filter(({ begins }) => begins)) }
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
      const mine = caller.scope?.containers
      if (!container && mine)
        throw new DcmError('denied', `This token is good for ${mine.join(', ')} only: say of which one.`, {
          try: `events ${mine[0]}`,
        })
      const person = container ? await store.people.byId(container.ownerId) : caller.person
      if (!person) return []
      const whole = person.id === caller.person.id || caller.person.role === 'admin'
      const of = container && { ...container, commands: whole ? tells.owner : tells.guest }
      const rows = await store.audit.happened({ person, container: of, since, limit })
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
