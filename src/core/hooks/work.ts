import type { Command } from '../command/define.ts'
import type { Call, Waiting } from '../door/door.ts'
import type { Hook } from '../model/hook.ts'
import { newId } from '../model/id.ts'
import type { Log } from '../model/log.ts'
import type { Actor, Person } from '../model/person.ts'
import type { Works } from '../operation/define.ts'
import { pause } from '../operation/pause.ts'
import { DcmError } from '../reply/error.ts'
import { refusal, type Reply } from '../reply/reply.ts'
import { printable } from '../reply/text.ts'
import type { DeliveryRow } from '../store/hooks.ts'
import { fill, readTemplate } from './line.ts'

export type WorkDeps = {
  works: Works
  commands: readonly Command[]
  holder: string
  log: Log
  handle(call: Call, waiting?: Waiting): Promise<Reply>
}

/** How long a delivery is one process' own that does not renew it, in milliseconds. */
export const lease = 30_000

/** Carries out what came to hooks, once for each delivery, and goes on where another process or life was cut off. */
export function createWork(deps: WorkDeps, over: AbortController) {
  const { works, log, holder } = deps
  const { store } = works
  const live = new Map<string, Promise<Reply | undefined>>()

  /** Runs a hook's line as its owner, who may by now do less than when it was made; never twice for one delivery. */
  function carryOut(
    hook: Pick<Hook, 'line' | 'ownerId' | 'name'>,
    person: Person,
    row: DeliveryRow,
    taken: boolean,
  ): Promise<Reply | undefined> {
    const work = async (): Promise<Reply | undefined> => {
      let reply: Reply
      try {
        const template = readTemplate(deps.commands, hook.line)
        const actor = actorOf(person, template.command.name, row.address)
        const input = { name: template.command.name, args: fill(template, row.places) }
        reply = await deps.handle(
          { actor, input, requestId: row.id, ...(taken ? { again: true } : {}) },
          { signal: over.signal },
        )
      } catch (error) {
        if (!(error instanceof DcmError)) throw error
        reply = refusal(error)
      }
      // Stopped before its end: whoever starts next takes it up.
      if (over.signal.aborted || reply.operation?.state === 'running') return undefined
      await settle(hook, row, reply)
      return reply
    }
    const working = work()
      .catch((err: unknown) => {
        log.error({ delivery: row.id, err }, 'a delivery could not be brought to its end; it is taken up again')
        return undefined
      })
      .finally(() => live.delete(row.id))
    live.set(row.id, working)
    return working
  }

  async function settle(hook: Pick<Hook, 'ownerId' | 'name'>, row: DeliveryRow, reply: Reply): Promise<void> {
    const operations = reply.operation ? [] : await store.operations.byRequest(row.id, hook.ownerId)
    const operationId = reply.operation?.id ?? operations.at(-1)?.id ?? null
    const state = !reply.error ? 'done' : operationId === null ? 'refused' : 'failed'
    const text = printable(reply.text).slice(0, 1000)
    await store.tx(async (tx) => {
      if (!(await tx.deliveries.end(row.id, { state, text, code: reply.error ?? null, operationId }))) return
      const said = reply.error
        ? `The hook ${hook.name} did not do its work: ${text}`
        : `The hook ${hook.name} has run: ${text}`
      await tx.notices.insert({
        ...{ id: newId(works.random), ownerId: hook.ownerId, kind: 'hook', key: `hook/${row.id}`, text: said },
        actions: [{ label: 'Its log', line: `hook log ${hook.name}` }],
      })
    })
  }

  async function resume(): Promise<void> {
    if (over.signal.aborted) return
    await store.deliveries.renew([...live.keys()], lease)
    for (const row of await store.deliveries.claim(holder, lease, 20)) {
      if (live.has(row.id)) continue
      const found = await store.hooks.known(row.hookId)
      // With a hook its deliveries go too.
      if (found) void carryOut(found.hook, found.person, row, true)
    }
  }

  async function keepOn(): Promise<void> {
    // On PostgreSQL other processes may store what this one is to carry out, and their senders wait.
    while (!over.signal.aborted) {
      await resume().catch((err: unknown) =>
        log.warn({ err }, 'deliveries that were cut off could not be taken up now'),
      )
      await pause(store.kind === 'postgres' ? 1000 : lease / 6, over.signal)
    }
  }

  return { carryOut, resume, keepOn, underWay: (id: string) => live.get(id) }
}

/** A hook's caller: its owner, for this one command and no other. */
const actorOf = (person: Person, command: string, address: string | null): Actor => ({
  person,
  surface: 'hook',
  scope: { commands: [command], containers: null },
  ...(address === null ? {} : { address }),
})
