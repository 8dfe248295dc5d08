import type { Person } from '../model/person.ts'
import { DcmError } from '../reply/error.ts'
import type { Tables } from '../store/store.ts'

/**
 * Locks a member's row until the transaction ends and reads who they are, so that what is added to them and their
 * removal happen one after the other. Unlike an admission, it takes a suspended member too.
 * @throws DcmError when they are gone or going
 */
export async function lockPresent(tx: Tables, ownerId: string): Promise<Person> {
  const usage = await tx.people.lockUsage(ownerId)
  const person = await tx.people.byId(ownerId)
  if (!usage || !person) throw new DcmError('not_found', 'That member is no longer here.', { try: 'user ls' })
  if (person.state === 'leaving') throw new DcmError('conflict', `${person.name} is being removed.`)
  return person
}
