import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Container, Spec } from '../model/container.ts'
import type { NetworkRef } from '../model/network.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import type { Tables } from '../store/store.ts'

/** Checks, under the owner's lock, that the networks a container is to be on are still there. @throws DcmError `not_found` */
export async function checkNetworks(tx: Tables, ownerId: string, networks: readonly NetworkRef[]): Promise<void> {
  if (networks.length === 0) return
  const there = new Set((await tx.networks.of(ownerId)).map((network) => network.id))
  const gone = networks.find((one) => !there.has(one.id))
  if (gone) throw new DcmError('not_found', `You have no network called ${gone.name}.`, { try: 'network ls' })
}

/** All networks that a container is made on or joins, but for its owner's main one. */
export const asked = (spec: Pick<Spec, 'network'>, joins: readonly NetworkRef[] = []): NetworkRef[] => [
  ...(spec.network ? [spec.network] : []),
  ...joins,
]

/** Names of containers that are on a network, made on it or joined. */
export const membersOf = (containers: readonly Container[], id: string): string[] =>
  containers
    .filter((one) => one.spec.network?.id === id || one.joined.some((network) => network.id === id))
    .map((one) => one.name)

/** A caller's own networks, beside their main one. */
export function createNetworks({ store }: Works): (caller: Caller) => Context['networks'] {
  return ({ person }) => ({
    async list() {
      const [networks, containers] = await Promise.all([store.networks.of(person.id), store.containers.of(person.id)])
      return networks.map((network) => ({ ...network, members: membersOf(containers, network.id) }))
    },
  })
}
