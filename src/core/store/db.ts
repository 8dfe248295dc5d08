import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { DcmError } from '../reply/error.ts'
import type * as schema from './schema/index.ts'

/** PostgreSQL or the embedded database, or a transaction on either. */
export type Db = PgDatabase<PgQueryResultHKT, typeof schema>

type Fault = { code?: string; constraint_name?: string; constraint?: string; message?: string }

/** The database's own error below drizzle's wrapping. */
function fault(error: unknown): Fault {
  let current = error as { cause?: unknown } & Fault
  while (current && typeof current === 'object' && current.cause && typeof current.cause === 'object')
    current = current.cause as never
  return current ?? {}
}

/** Unique, check and foreign key violations; a foreign key that restricts is one of its own since PostgreSQL 18. */
const refusing = new Set(['23505', '23514', '23503', '23001'])

/** Name of the constraint or unique index that refused, or undefined when it was something else. */
export function violated(error: unknown): string | undefined {
  const { code, constraint, constraint_name } = fault(error)
  return refusing.has(code ?? '') ? (constraint_name ?? constraint) : undefined
}

/** Whether the same transaction may simply be run again: serialization failure or deadlock (PostgreSQL appendix A, class 40). */
export const retryable = (error: unknown): boolean => ['40001', '40P01'].includes(fault(error).code ?? '')

const lost = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  '57P01',
  '57P02',
  '57P03',
  '57014',
  '53300',
  '08006',
  '08001',
  '08003',
])

/** Whether the database did not answer, as opposed to answering no. */
export const unreachable = (error: unknown): boolean => lost.has(fault(error).code ?? '')

/** What callers get while the database does not answer. */
export const down = (cause: unknown): DcmError =>
  new DcmError('unavailable', 'The database does not answer; try again in a minute.', { cause })
