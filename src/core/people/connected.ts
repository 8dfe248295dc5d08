import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import { DcmError } from '../reply/error.ts'
import type { Store } from '../store/store.ts'

/** Who is connected over SSH, as far as a caller may see it. */
export const createConnected =
  ({ store }: { store: Store }) =>
  (caller: Caller): Context['sessions'] => {
    // Asked when it is used: whoever is not known yet has commands too, and these are not among them.
    const admin = () => caller.person.role === 'admin' && !caller.scope
    const mine = async () => (await store.sessions.list()).filter((one) => one.ownerId === caller.person.id)
    return {
      async list(all) {
        if (!all) return mine()
        if (!admin())
          throw new DcmError('denied', 'Everybody’s connections are for admins to see.', { try: 'sessions' })
        return store.sessions.list()
      },
      async end(id) {
        const found = (admin() ? await store.sessions.list() : await mine()).find((one) => one.id === id)
        const by = caller.by ?? caller.person
        const why = found?.ownerId === by.id ? 'You ended this connection.' : 'An admin ended this connection.'
        if (!found || !(await store.sessions.end(id, why)))
          throw new DcmError('not_found', 'There is no such connection; sessions lists them.', { try: 'sessions' })
        return found
      },
    }
  }
