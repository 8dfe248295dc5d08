import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { DcmError } from '../reply/error.ts'

/** Exports of one member at a time, and how long nobody may read one before it is given up. */
const most = 2
const patience = 60_000

/** Hands out a container's file system. The first piece is read before anything is answered, so that a refusal is one. */
export function createExport(works: Works): (caller: Caller) => Pick<Context['files'], 'export'> {
  const open = new Map<string, number>()
  const count = (id: string, by: number) => {
    const now = (open.get(id) ?? 0) + by
    if (now === 0) open.delete(id)
    else open.set(id, now)
    return now
  }
  return ({ person }) => ({
    async export(container) {
      if (!container.engineId)
        throw new DcmError('conflict', `${container.name} is gone from Docker, so there is nothing to export.`, {
          try: `rm ${container.name}`,
        })
      if (count(person.id, 1) > most) {
        count(person.id, -1)
        throw new DcmError('limited', `You export ${most} containers already; let one of them end first.`)
      }
      const stop = new AbortController()
      const source = works.host(container.hostId).engine.export(container.engineId, stop.signal)[Symbol.asyncIterator]()
      let timer: NodeJS.Timeout | undefined
      let ended = false
      const end = () => {
        clearTimeout(timer)
        if (ended) return
        ended = true
        count(person.id, -1)
        stop.abort()
      }
      // A reader that has gone without a word would hold the engine's connection for ever.
      const wait = () => {
        clearTimeout(timer)
        timer = setTimeout(end, patience)
        timer.unref()
      }
      try {
        let next = await source.next()
        wait()
        return (async function* () {
          try {
            for (; !next.done; next = await source.next()) {
              wait()
              yield next.value
            }
          } finally {
            end()
          }
        })()
      } catch (error) {
        end()
        throw explain(error)
      }
    },
  })
}
