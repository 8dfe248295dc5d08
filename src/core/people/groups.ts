import type { Context } from '../command/context.ts'
import { formatGrant } from '../model/grant.ts'
import type { Group } from '../model/group.ts'
import { newId, type Random } from '../model/id.ts'
import type { Resource } from '../model/quota.ts'
import { DcmError } from '../reply/error.ts'
import { violated } from '../store/db.ts'
import type { Store } from '../store/store.ts'
import { mustExist, toRow } from './grants.ts'
import { lockPresent } from './present.ts'
import { checkRange } from './quota.ts'

const most = 1000

/** Members who get a quota and grants together. */
export function createGroups({ store, random }: { store: Store; random: Random }): Context['groups'] {
  const view = async (group: Group) => ({
    group,
    members: await store.groups.members(group.id),
    grants: (await store.grants.ofGroup(group.id)).map(toRow).filter((row) => row !== undefined),
  })

  async function setQuota(group: Group, quota: Group['quota']): Promise<Group> {
    await store.groups.setQuota(group.id, quota)
    return { ...group, quota }
  }

  return {
    async add(name) {
      if ((await store.groups.count()) >= most)
        throw new DcmError('limited', `There are ${most} groups already; remove one with group rm.`, {
          try: 'group ls',
        })
      try {
        return await store.groups.insert({ id: newId(random), name })
      } catch (error) {
        if (violated(error) !== 'groups_name') throw error
        throw new DcmError('conflict', `There is a group called ${name} already.`, { try: `group show ${name}` })
      }
    },
    list: () => store.groups.list(),
    view,
    of: async (person) => (await store.groups.of(person.id)).map(({ name }) => name),
    join: (group, person) =>
      store.tx(async (tx) => {
        await lockPresent(tx, person.id)
        await tx.groups.add(group.id, person.id)
      }),
    async leave(group, person) {
      if (await store.groups.take(group.id, person.id)) return
      throw new DcmError('not_found', `${person.name} is not in ${group.name}.`, { try: `group show ${group.name}` })
    },
    async set(group, changes) {
      checkRange(changes)
      return setQuota(group, { ...group.quota, ...changes })
    },
    unset(group, which: Resource[]) {
      const quota = { ...group.quota }
      for (const resource of which) delete quota[resource]
      return setQuota(group, quota)
    },
    give: (group, grant, lives, by) =>
      store.tx(async (tx) => {
        await mustExist(tx, grant)
        const given = { groupId: group.id, thing: formatGrant(grant), grantedBy: by.name }
        return toRow(await tx.grants.putGroup(given, lives))!
      }),
    async revoke(group, grant) {
      const removed = await store.grants.removeGroup(group.id, formatGrant(grant))
      const row = removed && toRow(removed)
      if (row) return row
      throw new DcmError('not_found', `${group.name} has no grant ${formatGrant(grant)}.`, {
        try: `group show ${group.name}`,
      })
    },
    remove: (group) => store.groups.remove(group.id),
  }
}
