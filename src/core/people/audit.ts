import type { Context } from '../command/context.ts'
import type { Store } from '../store/store.ts'

/** The audit log, for admins to read. */
export const createAudit = ({ store }: { store: Store }): Context['audit'] => ({
  read: ({ personName, since, limit }) => store.audit.read({ name: personName, since, limit }),
})
