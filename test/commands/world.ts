import { randomBytes } from 'node:crypto'
import { commands } from '../../src/commands/index.ts'
import type { Context } from '../../src/core/command/context.ts'
import type { Caller } from '../../src/core/command/define.ts'
import { spreadKeys } from '../../src/core/containers/runfolder.ts'
import { createContexts } from '../../src/core/door/context.ts'
import type { Person, Role } from '../../src/core/model/person.ts'
import { createKeys } from '../../src/core/people/keys.ts'
import { createPeople } from '../../src/core/people/people.ts'
import { createWorld as createWhole, type World as Whole } from '../core/door/world.ts'

/** The whole core, without images and with little room, where it is seen whose keys are brought to their containers. */
export type World = Whole & {
  /** Ids of members whose keys were brought to their containers, in order. */
  told: string[]
  /** Makes the next telling fail. */
  deaf(): void
  /** Adds a member without a key, unless there is one of that name. */
  member(name: string, role?: Role): Promise<Person>
  context(caller: Caller): Omit<Context, 'consider'>
}

export async function createWorld(): Promise<World> {
  const told: string[] = []
  let deaf = false
  const contexts: typeof createContexts = (works, known) => {
    const { store, random } = works
    const onKeys = async (ownerId: string) => {
      if (deaf) {
        deaf = false
        throw new Error('the host does not answer')
      }
      await spreadKeys(works, ownerId)
      told.push(ownerId)
    }
    const storage = async (id: string) => (await works.host('local').files.storage(id))?.used ?? 0
    const own = {
      people: createPeople({ store, random, onKeys, storage }),
      keys: createKeys({ store, random, onKeys }),
    }
    const usual = createContexts(works, known)
    return (caller) => ({ ...usual(caller), ...own })
  }
  const world = await createWhole({ bare: true, memory: 16 * 2 ** 30, cpus: 4000, contexts })
  const { store } = world
  return {
    ...world,
    told,
    deaf: () => void (deaf = true),
    member: async (name, role = 'member') =>
      (await store.people.byName(name)) ??
      store.people.insert({ id: `p${randomBytes(6).toString('hex')}`, name, role }),
    context: contexts(world.works, commands),
  }
}
