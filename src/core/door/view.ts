import type { Outcome } from '../operation/waiters.ts'
import type { OperationView } from './door.ts'

/** An operation as whoever asks for it sees it. */
export const viewOf = ({ row, state, reply }: Outcome): OperationView => ({
  id: row.id,
  kind: row.kind,
  state,
  progress: row.progress,
  reply: reply && { ...reply, operation: { id: row.id, state } },
})
