import { notice, noticeOf } from '../people/notices.ts'
import type { Intent, Intents } from '../command/intents.ts'
import type { Container } from '../model/container.ts'
import { formatTime } from '../model/time.ts'
import { systemAsker } from '../operation/asker.ts'
import type { Asker } from '../operation/asker.ts'
import { DcmError } from '../reply/error.ts'
import { scheduledRun } from '../model/schedule.ts'
import type { Reply } from '../reply/reply.ts'
import type { ScheduleRow } from '../store/schedules.ts'
import type { Tables } from '../store/store.ts'
import { syncKeys } from '../containers/runfolder.ts'
import { dismiss } from '../people/shares.ts'
import { nextTime } from '../containers/cron.ts'
import type { Upkeep } from './reconcile.ts'

/** How long before its end a container's owner is told. */
const ahead = 15 * 60_000
/** A schedule that comes later than this, because DCM was away, is not made up for. */
const tooLate = 3_600_000

/** Begins something in the name of time itself. @returns why it cannot be now, or null when it was begun */
async function beginNow<K extends Intent>(
  upkeep: Upkeep,
  kind: K,
  input: Intents[K],
  asker: Asker,
  also?: (tx: Tables, operationId: string) => Promise<void>,
): Promise<string | null> {
  try {
    await upkeep.runner.begin(kind, input, asker, also)
    return null
  } catch (error) {
    if (error instanceof DcmError) return error.message
    throw error
  }
}

/** Removes what has come to the end that it was given, and tells owners before. By the database's clock. */
export async function expire(upkeep: Upkeep, hostId: string): Promise<void> {
  const { store, random } = upkeep.works
  for (const container of await store.containers.expiring(hostId, ahead)) {
    const { name, expiresAt } = container
    if (!expiresAt) continue
    if (!container.past) {
      // One that was given less time than that is not told of: whoever gave it knows.
      if (expiresAt.getTime() - container.createdAt.getTime() <= 2 * ahead) continue
      const actions = [
        { label: 'Give it a day more', line: `extend ${name} 1d` },
        { label: 'Save it first', line: `commit ${name} ${name}:last` },
      ]
      const text = `${name} will be removed with everything inside at ${formatTime(expiresAt)}.`
      await noticeOf(store, random, container, { kind: 'expiry', when: expiresAt.toISOString(), text, actions })
      continue
    }
    const asker = systemAsker(random, 'expire', { ownerId: container.ownerId, target: `${container.owner}/${name}` })
    const text = `${name} has come to its end and is removed; /storage and your images are untouched.`
    await beginNow(upkeep, 'remove', { containerId: container.id, expired: true }, asker, (tx) =>
      noticeOf(tx, random, container, { kind: 'expiry', when: 'end', text }),
    )
  }
}

/** Does what is due. What is due and its next time are one transaction, so that it is done once however many look. */
export async function fireSchedules(upkeep: Upkeep): Promise<void> {
  const { store, random } = upkeep.works
  for (const row of await store.schedules.due()) {
    const now = await store.site.clock()
    const next = nextTime(row.cron, row.zone, now)
    const move = (tx: Pick<Tables, 'schedules'>, trouble: string | null, operationId?: string) =>
      tx.schedules.advance(row, next, trouble, operationId)
    if (row.late > tooLate) {
      await move(
        store,
        `It was due ${formatTime(row.nextAt)}, while DCM was away or you were suspended, and was left out.`,
      )
      continue
    }
    const { ownerId, verb, owner, container } = row
    const asker = systemAsker(random, `schedule ${verb}`, { ownerId, target: `${owner}/${container}` })
    const also = async (tx: Tables, operationId: string) => {
      // A run has an outcome that its owner wants to hear of; that it was begun is all that start and stop have.
      if (!(await move(tx, null, row.verb === 'run' ? operationId : undefined)))
        throw new DcmError('conflict', 'Another process has done it.')
    }
    const why = await fire(upkeep, row, asker, also)
    if (why !== null && (await move(store, why))) await unable(upkeep, row, `could not be done: ${why}`)
  }
  for (const row of await store.schedules.ended()) {
    const { error, text } = (row.reply ?? { text: 'DCM no longer knows how it ended.' }) as Reply
    if (error === undefined && row.reply) continue
    await store.schedules.setTrouble(row.id, text)
    await unable(upkeep, { ...row, nextAt: row.lastAt ?? row.nextAt }, `failed: ${text}`)
  }
}

function fire(
  upkeep: Upkeep,
  { verb, argv, containerId }: ScheduleRow,
  asker: Asker,
  also: (tx: Tables, operationId: string) => Promise<void>,
): Promise<string | null> {
  switch (verb) {
    case 'start':
      return beginNow(upkeep, 'start', { containerId }, asker, also)
    case 'stop':
      return beginNow(upkeep, 'stop', { containerId, seconds: 10 }, asker, also)
    case 'run':
      return beginNow(
        upkeep,
        'exec',
        { containerId, byId: null, argv: argv ?? [], folder: '/root', lives: scheduledRun },
        asker,
        also,
      )
  }
}

async function unable({ works }: Upkeep, row: ScheduleRow & { container: string }, why: string): Promise<void> {
  const what = row.verb === 'run' ? `run in ${row.container}` : `${row.verb} of ${row.container}`
  const text = `The scheduled ${what} ${why}`
  await notice(works.store, works.random, {
    ownerId: row.ownerId,
    kind: 'schedule',
    key: `schedule:${row.id}:${row.nextAt.toISOString()}`,
    text,
    actions: [{ label: 'See your schedules', line: 'schedule ls' }],
  })
}

/** Takes back what was shared until now: keys, and connections that are open. Reads do not wait for it. */
export async function endShares({ works, log }: Upkeep): Promise<void> {
  // At once: what is dropped is not found again, and who came in by it must not stay.
  const ended = await works.store.tx(async (tx) => {
    const containers: Container[] = []
    for (const { containerId, guestId } of await tx.shares.dropExpired()) {
      const container = await tx.containers.byId(containerId)
      if (!container) continue
      await dismiss(tx, container, guestId)
      containers.push(container)
    }
    return containers
  })
  for (const container of ended)
    await syncKeys(works, container).catch((err: unknown) =>
      log.warn({ container: container.id, err }, "a guest's key ends by its own date; its folder is tidied later"),
    )
}
