import { personName } from '../model/name.ts'
import type { Actor } from '../model/person.ts'
import { DcmError } from '../reply/error.ts'
import type { Store } from '../store/store.ts'

/**
 * With `--as`, an admin becomes the member: their rights, quota and grants, and no others.
 * @throws DcmError `denied` to all but admins who are signed in themselves, `not_found`
 */
export const createActing =
  ({ store }: { store: Store }) =>
  async (actor: Actor, name: string): Promise<Actor> => {
    const { person, scope, by, ...from } = actor
    if (!person || person.role !== 'admin' || scope || by)
      throw new DcmError('denied', '--as is for admins who are signed in themselves.')
    const member = personName.test(name) ? await store.people.byName(name) : undefined
    if (!member) throw new DcmError('not_found', `There is no member called ${name.slice(0, 40)}.`, { try: 'user ls' })
    return { ...from, person: member, by: person }
  }
