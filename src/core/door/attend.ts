import { newId } from '../model/id.ts'
import type { Actor } from '../model/person.ts'
import type { Works } from '../operation/define.ts'
import type { Log } from '../model/log.ts'
import { whyNot } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import type { Door } from './door.ts'

/** Somebody who stays connected, as others see them in `sessions`. */
export type Attendance = {
  id: string
  /** Who they are now, asked anew. @throws DcmError `unlinked` where they may no longer be here, and then tells them to go */
  who(): Promise<Actor>
  /** What they do now, in a few words. */
  doing(text: string): void
  /** Lists that something is open into a container. @returns, once that is written, what says once that it no longer is */
  inside(containerId: string): Promise<() => void>
  /** They are gone; said again, it is nothing. */
  left(): Promise<void>
}

export type AttendDeps = { works: Works; log: Log; identify: Door['identify']; holder: string; perMember: number }

/** How long a row outlives a process that no longer renews it, and how often those of this one are looked at. */
const lease = 30_000
const look = 1000

/** Keeps the list of who is connected, and tells those to go who may not stay: at once, wherever that was decided. */
export function createAttend({ works, log, identify, holder, perMember }: AttendDeps) {
  const { store, random } = works
  const present = new Map<string, (why: string) => void>()
  let timer: NodeJS.Timeout | undefined
  let renewed = 0

  async function check(): Promise<void> {
    const ids = [...present.keys()]
    if (performance.now() - renewed > lease / 3) {
      await store.sessions.renew(ids, lease)
      renewed = performance.now()
    }
    const standing = new Map((await store.sessions.standing(ids)).map((row) => [row.id, row]))
    for (const id of ids) {
      const row = standing.get(id)
      const why = row?.ending ?? whyNot(row?.state, row?.keyed)
      if (why !== undefined) present.get(id)?.(why)
    }
  }

  function watch(): void {
    timer ??= setTimeout(() => {
      check()
        .catch((err: unknown) => log.warn({ err }, 'who may stay connected could not be looked up'))
        .finally(() => {
          timer = undefined
          if (present.size > 0) watch()
        })
    }, look)
    timer.unref()
  }

  return {
    /**
     * Lists somebody as connected. `leave` is called when they have to go, with a sentence that says why.
     * @throws DcmError `limited` when they have as many connections as a member may
     */
    async attend(actor: Actor, doing: string, leave: (why: string) => void): Promise<Attendance> {
      const { person, surface, address, fingerprint } = actor
      if (!person || !fingerprint) throw new DcmError('unlinked', 'DCM does not know you yet: ask an admin to add you.')
      if ((await store.sessions.countOf(person.id)) >= perMember)
        throw new DcmError(
          'limited',
          `You have ${perMember} SSH connections open already; close one, or end one with sessions kill.`,
        )
      const id = newId(random)
      await store.sessions.insert(
        { id, ownerId: person.id, holder, address: address ?? '', fingerprint, doing: doing.slice(0, 200) },
        lease,
      )
      present.set(id, leave)
      watch()
      const open = new Set<{ containerId: string }>()
      const write = () => store.sessions.inside(id, [...new Set([...open].map((one) => one.containerId))])
      let turn = Promise.resolve()
      // One after the other: the last that is written is how it stands.
      const inTurn = (work: () => Promise<void>) => {
        const now = turn.then(work)
        turn = now.catch(() => undefined)
        return now
      }
      return {
        id,
        async who() {
          const from = { surface, ...(address === undefined ? {} : { address }) }
          const now = await identify({ kind: 'key', fingerprint }, from)
          const keyed = now.person?.id === person.id
          const why = whyNot(keyed ? now.person?.state : 'active', keyed)
          if (why === undefined) return now
          leave(why)
          throw new DcmError('unlinked', why)
        },
        doing: (text) => void store.sessions.doing(id, text.slice(0, 200)).catch(() => undefined),
        async inside(containerId) {
          const one = { containerId }
          await inTurn(async () => {
            open.add(one)
            await write().catch((error: unknown) => {
              // What is not entered after all must not be listed with what is entered next.
              open.delete(one)
              throw error
            })
          })
          return () => {
            if (!open.delete(one)) return
            inTurn(write).catch((err: unknown) => log.debug({ err }, 'a session stays listed as inside a container'))
          }
        },
        async left() {
          if (!present.delete(id)) return
          await store.sessions
            .remove(id)
            .catch((err: unknown) => log.debug({ err }, 'a session that ended stays listed until its lease ends'))
        },
      }
    },
  }
}
