import type { Context } from '../command/context.ts'
import { newId, type Random } from '../model/id.ts'
import { refusePersonName } from '../model/name.ts'
import type { Person } from '../model/person.ts'
import type { Signup } from '../model/signup.ts'
import { formatVisitor, type Visitor } from '../model/visitor.ts'
import { DcmError } from '../reply/error.ts'
import { printable } from '../reply/text.ts'
import { violated } from '../store/db.ts'
import type { IdentityRow } from '../store/identities.ts'
import type { Store, Tables } from '../store/store.ts'
import { createCodes } from './codes.ts'
import { lockPresent } from './present.ts'

/** More than this is a mistake. */
const most = 20

const toVisitor = (row: IdentityRow): Visitor => ({
  platform: row.platform,
  scope: row.scope,
  user: row.userId,
  label: row.label,
})

const taken = (visitor: Visitor, cause: unknown) =>
  new DcmError(
    'conflict',
    `The account ${formatVisitor(visitor)} is linked to a member already; it has to be unlinked there first.`,
    { cause },
  )

/** Links a chat account to a member, in the caller's transaction. */
export async function linkIn(tx: Tables, person: Person, visitor: Visitor): Promise<void> {
  await lockPresent(tx, person.id)
  if ((await tx.identities.of(person.id)).length >= most)
    throw new DcmError('limited', `A member has at most ${most} chat accounts; unlink one first.`)
  await tx.identities.insert(person.id, { ...visitor, label: printable(visitor.label).slice(0, 80) })
}

/** A name for somebody who comes in from a chat: what they are called there, as far as it can be a member's name. */
export async function freeName(tx: Tables, label: string): Promise<string> {
  const wish = label
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 24)
  const base = wish.length >= 2 && refusePersonName(wish) === undefined ? wish : 'member'
  for (let n = 1; n < 1000; n++) {
    const name = n === 1 ? base : `${base}-${n}`
    if (!(await tx.people.byName(name))) return name
  }
  throw new DcmError('unavailable', 'No free name was found; ask an admin to add you.')
}

/** Which chat accounts are whose. A code is made in the chat and confirmed on another side, while signed in there. */
export function createLinks(deps: { store: Store; random: Random; signup: Signup }): Context['links'] {
  const { store, random, signup } = deps
  const codes = createCodes(deps)

  async function link(person: Person, visitor: Visitor): Promise<Visitor> {
    try {
      await store.tx((tx) => linkIn(tx, person, visitor))
    } catch (error) {
      throw violated(error) === 'identities_platform_scope_user_id_pk' ? taken(visitor, error) : error
    }
    return visitor
  }

  return {
    signup: (visitor) =>
      signup.mode === 'open' &&
      (signup.platform !== visitor.platform || signup.scope !== (visitor.within ?? visitor.scope))
        ? 'off'
        : signup.mode,
    code: async (visitor) => codes.make({ kind: 'link', subject: formatVisitor(visitor), data: visitor }),
    async confirm(person, code, by) {
      try {
        return await codes.take('link', code, by, async (tx, purpose) => {
          const visitor = purpose.data as Visitor
          await linkIn(tx, person, visitor)
          return visitor
        })
      } catch (error) {
        if (violated(error) !== 'identities_platform_scope_user_id_pk') throw error
        throw new DcmError(
          'conflict',
          'That account is linked to a member already; it has to be unlinked there first.',
          { cause: error },
        )
      }
    },
    link,
    async list(person) {
      return (await store.identities.of(person.id)).map(toVisitor)
    },
    async unlink(account) {
      const row = await store.identities.remove(account)
      return row && toVisitor(row)
    },
    async join(visitor) {
      try {
        return await store.tx(async (tx) => {
          const person = await tx.people.insert({
            id: newId(random),
            name: await freeName(tx, visitor.label),
            role: 'member',
          })
          await linkIn(tx, person, visitor)
          return person
        })
      } catch (error) {
        throw violated(error) === 'identities_platform_scope_user_id_pk' ? taken(visitor, error) : error
      }
    },
  }
}
