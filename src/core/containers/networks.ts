import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Container } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import type { Tables } from '../store/store.ts'

/** Checks, under the owner's lock, that the network a container is to be made on is still there. @throws DcmError `not_found` */
export async function checkNetwork(
  tx: Tables,
  ownerId: string,
  network: { id: string; name: string } | undefined,
): Promise<void> {
  if (!network || (await tx.networks.of(ownerId)).some((one) => one.id === network.id)) return
  throw new DcmError('not_found', `You have no network called ${network.name}.`, { try: 'network ls' })
}

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
