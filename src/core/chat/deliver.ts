import type { Works } from '../operation/define.ts'
import type { Log } from '../model/log.ts'
import type { OutboxRow } from '../store/outbox.ts'
import { openAddress, openLetter, pageOf, pagesOf } from './letter.ts'
import { type Letter, type Outlet, type Placed, Undelivered } from './outlet.ts'

/** Makes what sends what is owed, and puts off what cannot be sent now. */
export function createDeliver({ works, log }: { works: Works; log: Log }) {
  const { store, seal } = works
  /** Places that asked for a pause, and until when. Another process finds out by itself. */
  const paused = new Map<string, number>()

  async function deliver(row: OutboxRow, outlet: Outlet): Promise<void> {
    const stored = openLetter(seal, row.id, row.letter!)
    const address = openAddress(seal, row.id, row.address)
    const where = `${row.platform}/${address.scope}`
    const pause = (paused.get(where) ?? 0) - performance.now()
    if (pause > 0) return store.outbox.postpone(row.id, row.fence, pause, {})
    const at = stored.at ?? 0
    const of = pagesOf(stored.reply)
    const letter: Letter = {
      id: row.id,
      reply: pageOf(stored.reply, at),
      buttons: stored.buttons,
      ...(of > 1 ? { page: { id: stored.of ?? row.id, at, of } } : {}),
      instead: stored.instead ?? false,
      open: stored.open ?? false,
      repeat: row.sends > 0 && row.place === null,
    }
    // Counted before, so that whoever takes over after a crash knows that it may have arrived.
    if (!(await store.outbox.save(row.id, row.fence, { sends: row.sends + 1 }))) return
    let place: Placed
    try {
      place = await outlet.send(address, letter, row.place)
    } catch (error) {
      const known = error instanceof Undelivered
      if (known && error.later === undefined) {
        log.warn({ message: row.id, platform: row.platform, err: error }, 'a message cannot be delivered')
        return store.outbox.drop(row.id)
      }
      const wait =
        known && error.later !== undefined ? error.later : Math.min(300_000, 1000 * 2 ** Math.min(row.attempts, 8))
      if (known && error.all) paused.set(where, performance.now() + wait)
      // A platform that says no has not put it anywhere, so the next try is no repeat.
      await store.outbox.postpone(row.id, row.fence, wait, {
        attempts: row.attempts + 1,
        ...(known ? { sends: row.sends } : {}),
      })
      if (!known)
        log.warn(
          { message: row.id, platform: row.platform, err: error },
          'a message could not be sent; it is tried again',
        )
      return
    }
    await store.outbox.sent(row.id, row.fence, row.revision, place)
  }

  return deliver
}
