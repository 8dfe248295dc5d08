import type { Context } from '../command/context.ts'
import { newId, type Random } from '../model/id.ts'
import { refusePersonName } from '../model/name.ts'
import { DcmError } from '../reply/error.ts'
import { violated } from '../store/db.ts'
import type { Store } from '../store/store.ts'
import { createCodes } from './codes.ts'

/** Invitations: a code that makes whichever key comes with it a member's own. */
export function createInvites(deps: { store: Store; random: Random }): Context['invites'] {
  const { store, random } = deps
  const codes = createCodes(deps)
  return {
    async add(name, lives) {
      const why = refusePersonName(name)
      if (why) throw new DcmError('usage', why)
      let person = await store.people.byName(name)
      const added = person === undefined
      if (!person)
        person = await store.people.insert({ id: newId(random), name, role: 'member' }).catch((error: unknown) => {
          if (violated(error) !== 'people_name') throw error
          throw new DcmError('conflict', `Somebody is adding ${name} right now; try again.`, { cause: error })
        })
      if (person.state !== 'active')
        throw new DcmError('conflict', `${name} is ${person.state}, so they cannot be invited.`, {
          try: `user show ${name}`,
        })
      const made = await codes.make(
        { kind: 'invite', subject: `person:${person.id}`, data: { personId: person.id }, ownerId: person.id },
        lives,
      )
      return { ...made, added }
    },
  }
}
