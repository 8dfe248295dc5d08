import type { Context } from '../command/context.ts'
import { publicPorts } from '../model/container.ts'
import { newId } from '../model/id.ts'
import { refusePersonName } from '../model/name.ts'
import type { Person } from '../model/person.ts'
import { DcmError } from '../reply/error.ts'
import { violated } from '../store/db.ts'
import type { Tables } from '../store/store.ts'
import { insertKey, type KeyDeps, keyTaken, readKey, spread } from './keys.ts'

export type PeopleDeps = KeyDeps & {
  /** Bytes in a member's storage, as last known. */
  storage(personId: string): Promise<number>
}

/**
 * Makes sure that an active admin stays when this one goes. The admins' rows are locked until the transaction ends, so
 * that two cannot leave at once.
 * @throws DcmError `conflict`
 */
export async function keepAnAdmin(tx: Tables, person: Person): Promise<void> {
  if (person.role !== 'admin' || (await tx.people.otherAdmins(person.id)) > 0) return
  throw new DcmError(
    'conflict',
    `${person.name} is the last active admin; add another with user add NAME --admin first.`,
  )
}

/** Members: who is here and what is theirs. */
export function createPeople(deps: PeopleDeps): Context['people'] {
  const { store, random } = deps

  const add: Context['people']['add'] = async ({ name, role, keys: texts, visitor }) => {
    const why = refusePersonName(name)
    if (why) throw new DcmError('usage', why)
    // The same key twice in one request is one key.
    const keys = [...new Map(texts.map(readKey).map((key) => [key.fingerprint, key])).values()]
    try {
      return await store.tx(async (tx) => {
        const person = await tx.people.insert({ id: newId(random), name, role })
        const stored = []
        for (const key of keys) stored.push(await insertKey(tx, person.id, key, random))
        if (visitor) await tx.identities.insert(person.id, visitor)
        return { person, keys: stored }
      })
    } catch (error) {
      if (violated(error) === 'keys_fingerprint') throw keyTaken(error)
      if (violated(error)?.startsWith('identities_'))
        throw new DcmError(
          'conflict',
          'That chat account is linked to a member already; it has to be unlinked there first.',
          { cause: error },
        )
      if (violated(error) !== 'people_name') throw error
      const leaving = (await store.people.byName(name))?.state === 'leaving'
      const sentence = leaving
        ? `${name} is still being removed; try again in a minute.`
        : `There is a member called ${name} already.`
      throw new DcmError('conflict', sentence, { cause: error, try: `user show ${name}` })
    }
  }

  const setState: Context['people']['setState'] = async (person, state) => {
    const changed = await store.tx(async (tx) => {
      // The member's own row first, as admission does, then the admins' in one order: nobody waits in a circle.
      await tx.people.lockUsage(person.id)
      if (state !== 'active') await keepAnAdmin(tx, person)
      const now = await tx.people.byId(person.id)
      if (!now) throw new DcmError('not_found', `${person.name} is no longer here.`, { try: 'user ls' })
      if (now.state === 'leaving' && state !== 'leaving')
        throw new DcmError('conflict', `${now.name} is being removed.`)
      await tx.people.update(now.id, { state })
      return { ...now, state }
    })
    // Their keys open their containers only while they are active.
    await spread(deps, changed.id)
    return changed
  }

  return {
    add,
    setState,
    list: () => store.people.withCounts(),
    async belongings({ id }) {
      const [containers, images, keys, tokens, volumes, networks, grants, hooks, schedules, shares, storage] =
        await Promise.all([
          store.containers.of(id),
          store.images.of(id),
          store.keys.of(id),
          store.tokens.of(id),
          store.volumes.of(id),
          store.networks.of(id),
          store.grants.of(id),
          store.hooks.of(id),
          store.schedules.of(id),
          store.shares.about(id),
          deps.storage(id),
        ])
      return {
        containers: containers.map((container) => container.name),
        images: images.map((image) => image.ref),
        keys: keys.length,
        tokens: tokens.length,
        ports: containers.reduce((sum, container) => sum + publicPorts(container).length + container.added.length, 0),
        volumes: volumes.map((volume) => volume.name),
        networks: networks.map((network) => network.name),
        grants: grants.filter((grant) => grant.group === null).map((grant) => grant.thing),
        hooks: hooks.map((hook) => hook.name),
        schedules: schedules.length,
        shares: shares.length,
        storage,
      }
    },
  }
}
