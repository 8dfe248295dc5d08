import { createHash } from 'node:crypto'
import type { DeliveryState, Hook } from '../model/hook.ts'
import { newId } from '../model/id.ts'
import type { Person } from '../model/person.ts'
import { pause } from '../operation/pause.ts'
import { endedData } from '../reply/ended.ts'
import { DcmError } from '../reply/error.ts'
import { info, type Reply } from '../reply/reply.ts'
import type { DeliveryRow } from '../store/hooks.ts'
import { unmet } from './condition.ts'
import { eventOf, placesOf, readPayload } from './payload.ts'
import { makeSecret, secretsOf } from './secret.ts'
import { type Sent, verify } from './verify.ts'
import { createWork, lease, type WorkDeps } from './work.ts'

/** A request to a hook. `wait`: milliseconds that the sender waits for the outcome; under a second when absent. */
export type Knock = Sent & { id: string; address?: string; wait?: number; signal?: AbortSignal }

/** `accepted`: it is stored and will be carried out, and the answer goes before the outcome. */
export type Answer = { reply: Reply; accepted: boolean }

export type Hooks = {
  /** Takes what came to a hook. @throws DcmError `unlinked` in the same words for no hook and for a wrong signature */
  receive(knock: Knock): Promise<Answer>
  /** Takes up what was cut off, once. */
  resume(): Promise<void>
  /** Goes on doing so. */
  start(): void
  /** Lets go of what is under way: it is stored, and whoever starts next goes on. */
  stop(): void
}

export type HookDeps = WorkDeps & {
  /** Stores deliveries and leaves them to other processes. */
  storesOnly?: boolean
}

/** How long a sender waits that says nothing: GitHub and GitLab give up after ten seconds, and want an answer within one. */
const patience = 700

/** Deliveries of one hook in a minute. */
const most = 60

const stranger = () =>
  new DcmError(
    'unlinked',
    'There is no such hook, or the request is not signed with its secret as that hook wants it; its owner sees more with hook log.',
  )

/** Takes deliveries of webhooks: checks who sends, stores what is to be done, does it once, and tells how it went. */
export function createHooks(deps: HookDeps): Hooks {
  const { works, log, holder, storesOnly = false } = deps
  const { store } = works
  const over = new AbortController()
  const { carryOut, resume, keepOn, underWay } = createWork(deps, over)
  const failing = new Map<string, number>()
  // Checked where there is no hook, so that the time does not tell that there is none.
  const nobodys = makeSecret(works.random)

  async function receive(knock: Knock): Promise<Answer> {
    const began = performance.now()
    const found = /^[0-9a-z]{12}$/.test(knock.id) ? await store.hooks.live(knock.id) : undefined
    const secrets = found ? secretsOf(works.seal, found.hook, found.overlaps) : [nobodys]
    const verified = verify(found?.hook.verify ?? 'github', secrets, knock, works.now())
    if (!found || !verified) {
      if (found) countFailure(found.hook.id)
      throw stranger()
    }
    const { hook, person } = found
    const payload = readPayload(verified.payload)
    const digest = verified.signed && createHash('sha256').update(verified.signed).digest('hex')
    const event = eventOf(payload ?? {}, verified.event)
    const places = placesOf(payload ?? {})
    const decided = payload
      ? decide(hook, { event, places, payload })
      : { state: 'refused' as const, text: 'The body is not a JSON object.', code: 'usage' }
    const before = await store.deliveries.earlier(hook.id, verified.key, digest)
    const wait = () => Math.max(0, (knock.wait ?? patience) - (performance.now() - began))
    if (before) return again(before, person, wait(), knock.signal)
    if ((await store.deliveries.lately(hook.id, 60_000)) >= most)
      throw new DcmError('limited', `This hook takes ${most} deliveries a minute; send this one again later.`)
    const sent = {
      ...{ id: newId(works.random), hookId: hook.id, key: verified.key, digest, event, places, holder },
      ...{ address: knock.address ?? null, ...(decided ?? { state: 'received' as const }) },
    }
    // One transaction: what is stored must not be taken for somebody else's when the rest of it is tried again.
    const row = await store.tx((tx) => tx.deliveries.insert(sent, storesOnly ? 0 : lease))
    // Of two that came at once, the other one was first.
    if (!row) {
      const first = await store.deliveries.earlier(hook.id, verified.key, digest)
      if (!first) throw new DcmError('unavailable', 'That delivery could not be stored; send it again.')
      return again(first, person, wait(), knock.signal)
    }
    if (decided) return { reply: told(row), accepted: false }
    const working = storesOnly ? elsewhere(row, wait()) : here(row, carryOut(hook, person, row, false))
    return answer(row, person, working, wait(), knock.signal)
  }

  /** Counts without being waited for: what it takes must not tell a stranger that the hook is there. */
  function countFailure(id: string) {
    const writing = failing.has(id)
    failing.set(id, (failing.get(id) ?? 0) + 1)
    if (writing) return
    const write = async () => {
      while ((failing.get(id) ?? 0) > 0) {
        const times = failing.get(id)!
        failing.set(id, 0)
        await store.hooks.fail(id, times)
      }
    }
    write()
      .catch((err: unknown) => log.warn({ hook: id, err }, "a hook's failures could not be counted"))
      .finally(() => failing.delete(id))
  }

  type Decided = { state: DeliveryState; text: string; code?: string }
  function decide(hook: Pick<Hook, 'events' | 'conditions'>, seen: Parameters<typeof unmet>[1]): Decided | undefined {
    if (seen.event === 'ping') return { state: 'ignored', text: 'The hook is set up; it waits for an event.' }
    if (hook.events.length > 0 && !hook.events.includes(seen.event ?? ''))
      return {
        state: 'ignored',
        text: `The hook is for ${hook.events.join(', ')}, and this is ${seen.event ?? 'none of those'}.`,
      }
    const open = unmet(hook.conditions, seen)
    return open === undefined
      ? undefined
      : { state: 'ignored', text: `The hook is for deliveries with ${open}, and this is none.` }
  }

  /** Waits for the outcome as long as the sender does. */
  async function answer(
    row: DeliveryRow,
    person: Person,
    working: Promise<Reply | undefined>,
    wait: number,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const reply = await Promise.race([working, pause(wait, signal, over.signal)])
    if (reply) return { reply, accepted: false }
    const [operation] = await store.operations.byRequest(row.id, person.id)
    return {
      reply: info(
        'The delivery is accepted and goes on; send it again with ?wait=60 to hear how it ends, which does nothing twice.',
        {
          data: { delivery: row.id, state: 'received' },
          ...(operation ? { operation: { id: operation.id, state: 'running' as const } } : {}),
        },
      ),
      accepted: true,
    }
  }

  /** The same delivery once more: nothing is done, and the first one's outcome is told. */
  async function again(row: DeliveryRow, person: Person, wait: number, signal?: AbortSignal): Promise<Answer> {
    if (row.state !== 'received') return { reply: await outcome(row), accepted: false }
    const working = underWay(row.id)
    return answer(row, person, working ? here(row, working) : elsewhere(row, wait), wait, signal)
  }

  /** How a delivery ended that is over: in the words of what it began, where that is still known. */
  async function outcome(row: DeliveryRow): Promise<Reply> {
    const last = row.operationId ? await store.operations.byId(row.operationId) : undefined
    const reply = last?.reply as Reply | undefined
    if (!reply || last?.requestId !== row.id) return told(row)
    return shown({ ...reply, operation: { id: last.id, state: last.status === 'done' ? 'done' : 'failed' } }, row)
  }

  /** This process has it. */
  const here = async (row: DeliveryRow, working: Promise<Reply | undefined>): Promise<Reply | undefined> => {
    const reply = await working
    return reply && shown(reply, row)
  }

  /** Another process has it: looks now and then. */
  async function elsewhere(row: DeliveryRow, wait: number): Promise<Reply | undefined> {
    const end = performance.now() + wait
    while (performance.now() < end && !over.signal.aborted) {
      const now = await store.deliveries.byId(row.id)
      if (!now || now.state !== 'received') return now && outcome(now)
      await works.sleep(250)
    }
    return undefined
  }

  return { receive, resume, start: () => void keepOn(), stop: () => over.abort() }
}

/**
 * What a sender is shown: platforms keep answers where others may read them, so what is private stays out. What a
 * program printed is what the pipeline has asked for.
 */
function shown(reply: Reply, row: DeliveryRow): Reply {
  const { text, tone, error, operation, data, code } = reply
  const open = !reply.private || endedData.safeParse(data).success
  return {
    ...{ text, tone },
    ...(error ? { error } : {}),
    ...(operation ? { operation } : {}),
    ...(open && code !== undefined ? { code } : {}),
    data: { delivery: row.id, ...(open ? { result: data ?? null } : {}) },
  }
}

/** A delivery's outcome as it was stored. */
const told = (row: DeliveryRow): Reply => ({
  text: row.text,
  tone: row.code ? 'error' : row.state === 'done' ? 'ok' : 'info',
  ...(row.code ? { error: row.code as NonNullable<Reply['error']> } : {}),
  data: { delivery: row.id, state: row.state },
})
