import type { Context } from '../command/context.ts'
import type { Caller } from '../command/define.ts'
import { mayFollow } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import type { Reply } from '../reply/reply.ts'
import type { Store } from '../store/store.ts'

/** Operations as far as a caller may ask for them; absent and not-theirs are the same. */
export const createFollow =
  ({ store }: { store: Store }) =>
  (caller: Caller): Context['outcomes'] => ({
    async find(id) {
      const row = await store.operations.byId(id)
      if (!row || !mayFollow(caller, row)) throw new DcmError('not_found', 'You have no such operation.', { try: 'ps' })
      const { command, target, status, progress, createdAt } = row
      const over = status === 'done' || status === 'failed'
      return { command, target, progress, createdAt, reply: over ? (row.reply as Reply | null) : null }
    },
  })
