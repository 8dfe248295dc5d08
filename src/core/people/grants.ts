import type { Context } from '../command/context.ts'
import type { GrantRow } from '../command/views.ts'
import { formatGrant, type Grant, parseGrant } from '../model/grant.ts'
import type { Person } from '../model/person.ts'
import { DcmError } from '../reply/error.ts'
import type { GrantRecord } from '../store/grants.ts'
import type { Store, Tables } from '../store/store.ts'
import { lockPresent } from './present.ts'

/** A grant as it is told; undefined for one that the grammar no longer knows. */
export function toRow({ thing, expiresAt, grantedBy, createdAt, group }: GrantRecord): GrantRow | undefined {
  const grant = parseGrant(thing)
  return grant && { thing, grant, expiresAt, grantedBy, createdAt, group }
}

/** @throws DcmError `not_found` for a device, profile or image that no admin has named */
export async function mustExist(tx: Tables, grant: Grant): Promise<void> {
  switch (grant.kind) {
    case 'device':
      if ((await tx.site.devices()).some((device) => device.name === grant.name)) return
      throw new DcmError('not_found', `There is no device called ${grant.name}; name one with device add.`, {
        try: 'device ls',
      })
    case 'seccomp':
      if ((await tx.site.seccomps()).some((profile) => profile.name === grant.name)) return
      throw new DcmError('not_found', `There is no seccomp profile called ${grant.name}; name one with seccomp add.`, {
        try: 'seccomp ls',
      })
    case 'image':
      if (await tx.images.byRef(null, grant.ref)) return
      throw new DcmError('not_found', `No image ${grant.ref} is offered here; offer it with image offer.`, {
        try: 'images',
      })
    case 'restart':
    case 'restart-policy':
    case 'cap':
    case 'port':
    case 'public-ports':
    case 'quota':
  }
}

/** Gives a grant in the caller's transaction. */
export async function giveIn(
  tx: Tables,
  person: Person,
  grant: Grant,
  lives: number | undefined,
  by: Person,
): Promise<GrantRow> {
  await lockPresent(tx, person.id)
  await mustExist(tx, grant)
  return toRow(await tx.grants.put({ ownerId: person.id, thing: formatGrant(grant), grantedBy: by.name }, lives))!
}

/** What admins permit to single members. Whether one is in force is asked of the database's clock at every use. */
export function createGrants({ store }: { store: Store }): Context['grants'] {
  return {
    give: (person, _thing, grant, lives, by) => store.tx((tx) => giveIn(tx, person, grant, lives, by)),
    async revoke(person, thing) {
      const grant = parseGrant(thing)
      const removed = await store.grants.remove(person.id, grant ? formatGrant(grant) : thing)
      const row = removed && toRow(removed)
      if (row) return row
      throw new DcmError('not_found', `${person.name} has no grant ${thing}.`, { try: `grants ${person.name}` })
    },
    list: async (person) => (await store.grants.of(person.id)).map(toRow).filter((row) => row !== undefined),
  }
}
