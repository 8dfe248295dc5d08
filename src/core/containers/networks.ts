import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Container, Spec } from '../model/container.ts'
import type { NetworkRef } from '../model/network.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { violated } from '../store/db.ts'
import type { Tables } from '../store/store.ts'
import { namesOf } from './network.ts'

/** Checks, under the owner's lock, that the networks a container is to be on are still there. @throws DcmError `not_found` */
export async function checkNetworks(tx: Tables, ownerId: string, networks: readonly NetworkRef[]): Promise<void> {
  if (networks.length === 0) return
  const there = new Set((await tx.networks.of(ownerId)).map((network) => network.id))
  const gone = networks.find((one) => !there.has(one.id))
  if (gone) throw new DcmError('not_found', `You have no network called ${gone.name}.`, { try: 'network ls' })
}

/** Networks that one member may have beside their main one: each takes a subnet of the pool. */
const most = 8

/**
 * Makes the rows of networks under their owner's lock, in the transaction that admits what they are for; the engine's
 * are made with what comes onto them.
 * @throws DcmError `limited`, `conflict`
 */
export async function addNetworks(
  tx: Tables,
  owner: { id: string; hostId: string; instance: string },
  networks: readonly NetworkRef[],
  project: string | null,
): Promise<void> {
  if (networks.length === 0) return
  const mine = await tx.networks.of(owner.id)
  const twice = networks.find(({ name }) => mine.some((one) => one.name === name))
  if (twice) throw new DcmError('conflict', `You already have a network called ${twice.name}.`, { try: 'network ls' })
  if (mine.length + networks.length > most)
    throw new DcmError(
      'limited',
      mine.length === most
        ? `You have ${most} networks already; remove one with network rm.`
        : `You have ${mine.length} networks and may have ${most}, so ${networks.length} more do not fit; remove one with network rm.`,
      { try: 'network ls' },
    )
  for (const { id, name: called } of networks)
    try {
      await tx.networks.insert({
        ...{ id, ownerId: owner.id, hostId: owner.hostId, called, project },
        ...namesOf(owner.instance, id),
      })
    } catch (error) {
      if (violated(error) !== 'networks_called') throw error
      throw new DcmError('conflict', `The network ${called} is being removed; try again in a moment.`, { cause: error })
    }
}

/** All networks that a container is made on or joins, but for its owner's main one. */
export const asked = (spec: Pick<Spec, 'network'>, joins: readonly NetworkRef[] = []): NetworkRef[] => [
  ...(spec.network ? [spec.network] : []),
  ...joins,
]

/** Makes the networks that a container's row has joined those that it has been made on. */
export async function settleJoins(
  tx: Tables,
  { id, hostId, joined }: Pick<Container, 'id' | 'hostId' | 'joined'>,
  joins: readonly NetworkRef[],
): Promise<void> {
  for (const one of joined) if (!joins.some((other) => other.id === one.id)) await tx.networks.part(one.id, id)
  for (const one of joins) await tx.networks.join(one.id, hostId, id)
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
