import { newId, type Random } from '../model/id.ts'
import { refuseName } from '../model/name.ts'
import { foreignNetwork, type Network, type NetworkRef, type Placed } from '../model/network.ts'
import { type Declared, main, type On } from './networks.ts'
import type { At } from './tree.ts'

/** Finds what the networks of a file are among a member's own; what is of the project and not there is made with it. */
export function createPlaces(
  file: { project: string; declared: Declared; ownerId: string; there: readonly Network[]; random: Random },
  bad: (at: At, key: string, why: string) => void,
) {
  const { project, declared, ownerId, there, random } = file
  const made = new Map<string, NetworkRef>()

  function find({ name: called, at }: On, key: string): NetworkRef | undefined {
    const found = declared.get(called)
    if (called === main && found?.external === undefined) return { id: ownerId, name: '' }
    if (!found) return undefined
    const name = found.external ?? `${project}-${called.toLowerCase().replace(/[._]/g, '-')}`
    const one = there.find((network) => network.name === name)
    if (found.external !== undefined) {
      if (foreignNetwork(name))
        bad(at, key, `The network ${name.slice(0, 60)} is given to no container: name one of yours.`)
      else if (!one) bad(at, key, `You have no network called ${name.slice(0, 60)}; network create makes one.`)
      return one && { id: one.id, name }
    }
    if (one && one.project !== null && one.project !== project) {
      bad(at, key, `${name} is a network of the composition ${one.project}; call this one something else.`)
      return undefined
    }
    const why = one ? undefined : refuseName(name)
    if (why) {
      bad(at, key, `The network would be called ${name.slice(0, 60)}. ${why}`)
      return undefined
    }
    if (!one && !made.has(name)) made.set(name, { id: newId(random), name })
    return one ? { id: one.id, name } : made.get(name)
  }

  return {
    made: () => [...made.values()],
    /** The main one first, then by name: whatever the order in the file is, the same. @returns undefined where the file does not say */
    of(service: string, networks: On[] | undefined, at: At): Placed[] | undefined {
      const on = networks ?? (declared.get(main)?.external === undefined ? [] : [{ name: main, aliases: [], at }])
      if (on.length === 0) return undefined
      const placed = new Map<string, Placed>()
      for (const one of on) {
        const found = find(one, `services.${service}.networks`)
        if (!found) continue
        const aliases = [...(placed.get(found.id)?.aliases ?? []), ...one.aliases]
        placed.set(found.id, { id: found.id, name: found.name, aliases: [...new Set(aliases)].toSorted() })
      }
      return [...placed.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
  }
}
