import { lockMember } from '../core/containers/admit.ts'
import { present } from '../core/containers/change.ts'
import { namesOf, settleNetwork } from '../core/containers/network.ts'
import { addNetworks, membersOf } from '../core/containers/networks.ts'
import { isFault } from '../core/host/fault.ts'
import { foundAs } from '../core/model/container.ts'
import { foreignNetwork } from '../core/model/network.ts'
import { defineOperation } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import type { Tables } from '../core/store/store.ts'

const gone = () => new DcmError('not_found', 'That network is gone.', { try: 'network ls' })

async function there(tx: Pick<Tables, 'networks'>, id: string, hostId: string) {
  const row = await tx.networks.byId(id, hostId)
  if (!row || row.leaving || row.called === '') throw gone()
  return row
}

/** A network of a member's own: its row first, then a subnet that DCM chooses, then the engine's. */
export const createNetwork = defineOperation<'create-network', Record<string, never>>({
  kind: 'create-network',
  subject: (_, id) => `network:${id}`,
  doing: 'being made',
  async admit(tx, input, id, { place, settings }) {
    await lockMember(tx, input.ownerId)
    if (foreignNetwork(input.name))
      throw new DcmError('usage', `Docker has another meaning for ${input.name}; choose another name.`)
    const owner = { id: input.ownerId, hostId: settings.hostId, instance: place.instance }
    await addNetworks(tx, owner, [{ id, name: input.name }], null)
    return {}
  },
  steps: [
    {
      name: 'make',
      do: async (run) => void (await settleNetwork(run, run.id, run.settings.hostId)),
      undo: (run) => run.host(run.settings.hostId).engine.removeNetwork(namesOf(run.place.instance, run.id).name),
    },
  ],
  release: (run) => run.store.networks.remove(run.id, run.settings.hostId),
  reply: ({ input }) =>
    ok(
      `The network ${input.name} is there: make containers on it with --network ${input.name}, or let them join with network connect.`,
      { data: { network: input.name } },
    ),
})

/** From when it is stored nothing can join it; its row, and with it the subnet, goes when the engine's network is gone. */
export const removeNetwork = defineOperation<'remove-network', { name: string }>({
  kind: 'remove-network',
  subject: (input) => `network:${input.networkId}`,
  doing: 'being removed',
  async admit(tx, input, id, { settings }) {
    const row = await there(tx, input.networkId, settings.hostId)
    await tx.people.lockUsage(row.ownerId)
    const members = membersOf(await tx.containers.of(row.ownerId), row.id)
    const coming = (await tx.operations.openOf(row.ownerId, id)).find((one) =>
      JSON.stringify(one.input).includes(row.id),
    )
    if (members.length > 0 || coming)
      throw new DcmError(
        'conflict',
        `On ${row.called} there is ${members.join(', ') || coming?.target}; disconnect or remove that first.`,
        { try: members[0] ? `network disconnect ${row.called} ${members[0]}` : 'ps' },
      )
    await tx.networks.leave(row.id)
    return { name: row.called }
  },
  steps: [
    {
      name: 'remove',
      forward: true,
      async do(run) {
        const row = await run.store.networks.byId(run.input.networkId, run.settings.hostId)
        if (!row) return
        await run.host(row.hostId).engine.removeNetwork(row.name)
        await run.store.networks.remove(row.id, row.hostId)
      },
    },
  ],
  reply: ({ state }) => ok(`The network ${state.name} is removed.`, { data: { network: state.name } }),
})

type Joining = { had: boolean; container: string; network: string }

/** A container joins one more network, under its name, as it stands. */
export const joinNetwork = defineOperation<'join-network', Joining>({
  kind: 'join-network',
  subject: (input) => `container:${input.containerId}`,
  doing: 'joining a network',
  async admit(tx, input) {
    const container = await present(tx, input.containerId)
    await lockMember(tx, container.ownerId)
    const row = await there(tx, input.networkId, container.hostId)
    if (row.ownerId !== container.ownerId)
      throw new DcmError('conflict', `${container.name} is ${container.owner}'s, so it can be on their networks alone.`)
    const had = membersOf([container], row.id).length > 0
    if (!had) await tx.networks.join(row.id, row.hostId, container.id)
    return { had, container: container.name, network: row.called }
  },
  steps: [
    {
      name: 'join',
      async do(run) {
        const container = await present(run.store, run.input.containerId)
        const name = await settleNetwork(run, run.input.networkId, container.hostId)
        if (!container.engineId) return
        await run.host(container.hostId).engine.alias(container.engineId, name, foundAs(container, run.input.networkId))
      },
      async undo(run) {
        const container = await run.store.containers.byId(run.input.containerId)
        if (!container?.engineId || run.state.had) return
        const { name } = namesOf(run.place.instance, run.input.networkId)
        await run.host(container.hostId).engine.leave(container.engineId, name)
      },
    },
  ],
  async release(run) {
    if (!run.state.had) await run.store.networks.part(run.input.networkId, run.input.containerId)
  },
  reply: ({ state: { container, network } }) =>
    ok(`${container} is on ${network}; what is there finds it as ${container}.`, { data: { container, network } }),
})

/** Out in the engine first, then in the database. */
export const leaveNetwork = defineOperation<'leave-network', Omit<Joining, 'had'>>({
  kind: 'leave-network',
  subject: (input) => `container:${input.containerId}`,
  doing: 'leaving a network',
  async admit(tx, input) {
    const container = await present(tx, input.containerId)
    const row = await there(tx, input.networkId, container.hostId)
    if (container.spec.network?.id === row.id)
      throw new DcmError(
        'conflict',
        `${container.name} was made on ${row.called}; make it anew to have it on another network.`,
        { try: `recreate ${container.name} --clear network` },
      )
    if (!container.joined.some((one) => one.id === row.id))
      throw new DcmError('conflict', `${container.name} is not on ${row.called}.`, { try: 'network ls' })
    return { container: container.name, network: row.called }
  },
  steps: [
    {
      name: 'leave',
      forward: true,
      async do(run) {
        const container = await run.store.containers.byId(run.input.containerId)
        if (!container) return
        const { name } = namesOf(run.place.instance, run.input.networkId)
        try {
          if (container.engineId) await run.host(container.hostId).engine.leave(container.engineId, name)
        } catch (error) {
          if (!isFault(error, 'gone')) throw error
        }
        await run.store.networks.part(run.input.networkId, container.id)
      },
    },
  ],
  reply: ({ state: { container, network } }) =>
    ok(`${container} is no longer on ${network}.`, { data: { container, network } }),
})
