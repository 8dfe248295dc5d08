import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Container } from '../model/container.ts'
import { formatCpus, formatSize } from '../model/units.ts'
import type { Works } from '../operation/define.ts'
import { mayTouch } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import { plain } from '../reply/text.ts'
import { explain } from '../operation/explain.ts'
import { violated } from '../store/db.ts'
import { atWork } from './ended.ts'
import { readExit } from './exit.ts'
import { asSeen } from './start.ts'
import { createTurns } from './turns.ts'

const mega = 1024 ** 2

/** What a container gets when nobody says: enough for a shell and a small program. */
const usual = { memory: 512 * mega, cpus: 1000, pids: 256 }

/** What a limit may be at all; a quota narrows it further. Docker itself refuses less than 6 MB. */
const bounds = { memory: [16 * mega, 1024 ** 4], cpus: [10, 512_000], pids: [16, 32_768] } as const

/** How old the follower's last word may be before a list says so. */
const freshFor = 20_000

function bounded(
  name: keyof typeof bounds,
  flag: string,
  wish: number | undefined,
  show: (value: number) => string,
): number {
  const [low, high] = bounds[name]
  const value = wish ?? usual[name]
  if (value < low || value > high) {
    const bytes = name === 'memory' && value > 0 && value < mega ? `; ${value} alone is bytes, so write ${value}m` : ''
    throw new DcmError('usage', `${flag} may be from ${show(low)} to ${show(high)}${bytes}.`)
  }
  return value
}

/** How long the answer to "is it fresh" is used again: far less than it takes to become old. */
const askEvery = 1000

/** Asks for a sentence while what the database knows of states may be old; null while it is what the engine says. */
function createStaleness({ store }: Works): () => Promise<string | null> {
  let asked = -Infinity
  let answer: Promise<string | null>
  const look = async () => {
    const stale = await store.hosts.stale(freshFor)
    const since = stale[0]?.seenAt
    if (stale.length === 0) return null
    return since
      ? `Docker has not answered since ${since.toISOString().slice(0, 19).replace('T', ' ')} UTC, so the states shown may be old.`
      : 'Docker has not answered yet, so the states shown may be old.'
  }
  return () => {
    if (performance.now() - asked < askEvery) return answer
    asked = performance.now()
    answer = look()
    answer.catch(() => (asked = -Infinity))
    return answer
  }
}

const mostLog = mega

/** Logs of one member that are read at a time, and that wait: each holds one of the connections to the engine that all share. */
const [logsAtOnce, logsWaiting] = [3, 20]

/** What a caller sees of containers. */
export function createView(works: Works): (caller: Caller) => Context['containers'] {
  const { store } = works
  const staleness = createStaleness(works)
  const inTurn = createTurns(logsAtOnce, logsWaiting)
  return (caller) => ({
    async mine() {
      const [containers, stale] = await Promise.all([store.containers.of(caller.person.id), staleness()])
      return { containers: containers.filter((container) => mayTouch(caller, 'look', container)), stale }
    },
    async visible() {
      const [containers, stale] = await Promise.all([store.containers.visible(caller.person.id), staleness()])
      const seen = containers.filter((container) => mayTouch(caller, 'look', container))
      const isOwn = ({ ownerId }: Container) => ownerId === caller.person.id
      return { own: seen.filter(isOwn), shared: seen.filter((one) => !isOwn(one)), stale }
    },
    async all() {
      const [containers, stale] = await Promise.all([store.containers.all(), staleness()])
      return { containers: containers.filter((container) => mayTouch(caller, 'look', container)), stale }
    },
    async limits(wish) {
      return {
        memory: bounded('memory', '-m', wish.memory, formatSize),
        cpus: bounded('cpus', '--cpus', wish.cpus, formatCpus),
        pids: bounded('pids', '--pids-limit', wish.pids, String),
      }
    },
    async rename(container, name) {
      try {
        await store.containers.update(container.id, { name })
      } catch (error) {
        if (violated(error) !== 'containers_name') throw error
        throw new DcmError('conflict', `There is already a container called ${name}.`, { try: 'ps', cause: error })
      }
      return { ...container, name }
    },
    async note(container, note) {
      await store.containers.update(container.id, { note })
      return { ...container, note }
    },
    logs: (container, { tail, since, timestamps }) =>
      inTurn(caller.person.id, async () => {
        if (!container.engineId) return { text: '', cut: false }
        let text = ''
        let cut = false
        try {
          const options = { tail, timestamps, ...(since ? { since } : {}) }
          for await (const chunk of works.host(container.hostId).engine.logs(container.engineId, options)) {
            text += chunk.data.toString('utf8')
            if (text.length > 2 * mostLog) {
              text = text.slice(-mostLog)
              cut = true
            }
          }
        } catch (error) {
          throw explain(error)
        }
        // What a terminal could take for a command is written out, and gets longer by that.
        const said = plain(text.slice(-mostLog))
        return { text: said.slice(-mostLog), cut: cut || text.length > mostLog || said.length > mostLog }
      }),
    atWork: (container) => atWork(store, container),
    async refresh(container) {
      if (!container.engineId || (await store.operations.openOn(`container:${container.id}`))) return container
      try {
        const { engine } = works.host(container.hostId)
        await store.containers.update(container.id, asSeen(await engine.inspect(container.engineId)))
        if (container.spec.command.length > 0) await inTurn(caller.person.id, () => readExit(works, container))
      } catch (error) {
        // What cannot be looked at now is shown as it was last seen; the list says that it may be old.
        if (explain(error).code !== 'unavailable' && explain(error).code !== 'conflict') throw error
      }
      return (await store.containers.byId(container.id)) ?? container
    },
  })
}
