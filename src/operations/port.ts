import { checkPorts } from '../core/containers/allow.ts'
import { lockMember, reserve } from '../core/containers/admit.ts'
import { present } from '../core/containers/change.ts'
import { forwarder, openAdded } from '../core/containers/forward.ts'
import { givePorts } from '../core/containers/ports.ts'
import type { AddedPort, Container, Proto } from '../core/model/container.ts'
import { formatTime } from '../core/model/time.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { addressOf, called, toPort } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import type { Tables } from '../core/store/store.ts'

const same = (port: Pick<AddedPort, 'container' | 'proto'>, container: number, proto: Proto) =>
  port.container === container && port.proto === proto

const find = (container: Container, port: number, proto: Proto): AddedPort | undefined =>
  container.added.find((one) => same(one, port, proto))

/** `had`: it was open before, and only its end was changed. `now`: the container as it was when the port was open. */
type Adding = { had: boolean; now?: Container }

/** A port of a container that is there: its number is reserved first, then a forwarder is made beside it. */
export const addPort = defineOperation<'add-port', Adding>({
  kind: 'add-port',
  subject: (input) => `container:${input.containerId}`,
  doing: 'getting a port',
  async admit(tx, input, _, works) {
    const container = await present(tx, input.containerId)
    const { port, reach, lives } = input
    const member = await lockMember(tx, container.ownerId)
    checkPorts(member.grants, [port], reach)
    await tx.hosts.lock(container.hostId)
    const had = find(container, port.container, port.proto)
    if (had && (had.reach !== reach || (port.host ?? had.host) !== had.host))
      throw new DcmError(
        'conflict',
        `Port ${called(port)} of ${container.name} is open already, for ${had.reach}; close it first.`,
        { try: `port rm ${container.name} ${called(port)}` },
      )
    if (!had) await reserve(tx, member, { ports: 1 })
    const wish = { ...port, purpose: 'public' as const }
    const host = had?.host ?? (await givePorts(tx, container, [wish], works.settings.ports, works.random))[0]!.host
    await tx.ports.share(container.hostId, port.proto, host, reach, lives)
    return { had: had !== undefined }
  },
  steps: [
    {
      name: 'open',
      async do(run) {
        const { containerId, port } = run.input
        return { now: await openAdded(run, containerId, port, port.host !== undefined || run.state.had) }
      },
      async undo(run) {
        const container = await run.store.containers.byId(run.input.containerId)
        const mine = container && find(container, run.input.port.container, run.input.port.proto)
        if (!mine || run.state.had) return
        await run.host(container.hostId).engine.unforward(forwarder(run.place.instance, mine.proto, mine.host))
      },
    },
  ],
  async release(run) {
    if (!run.state.had) await dropRow(run, run.input.containerId, run.input.port.container, run.input.port.proto)
  },
  reply({ input, state, place }) {
    const now = state.now!
    const port = find(now, input.port.container, input.port.proto)!
    const until = port.expiresAt ? ` until ${formatTime(new Date(port.expiresAt))}` : ''
    const too = now.ports.find((one) => one.purpose === 'public' && same(one, port.container, port.proto))
    const beside = too ? ` It is at ${addressOf(too, place)} too, as it was made with -p; that address stays.` : ''
    const idle = now.state === 'running' ? '' : `, and answers once ${now.name} runs`
    return ok(`Port ${called(port)} of ${now.name} is open at ${addressOf(port, place)}${until}${idle}.${beside}`, {
      fields: {
        ...{ address: addressOf(port, place), share: port.reach },
        ...(port.reach === 'me' && port.proto === 'tcp' && place.ssh
          ? {
              through: `ssh -N -L ${port.container}:${now.name}:${port.container} -p ${place.ssh.port} ${now.owner}@${place.publicHost}`,
            }
          : {}),
      },
      data: toPort(now, port, place),
      private: true,
      actions: [{ label: 'Close it', line: `port rm ${now.name} ${called(port)}` }],
    })
  },
})

const dropRow = (run: Pick<Run<'add-port', Adding>, 'store'>, id: string, port: number, proto: Proto): Promise<void> =>
  run.store.tx(async (tx: Tables) => {
    const container = await tx.containers.byId(id)
    const mine = container && find(container, port, proto)
    if (mine) await tx.ports.release(container.hostId, mine.proto, mine.host)
  })

/** Gone in the engine first, then from the database: the number is free only when nobody listens on it. */
export const removePort = defineOperation<'remove-port', { name: string }>({
  kind: 'remove-port',
  subject: (input) => `container:${input.containerId}`,
  doing: 'losing a port',
  async admit(tx, input) {
    const container = await present(tx, input.containerId)
    const { port, proto } = input
    if (find(container, port, proto)) return { name: container.name }
    const made = container.ports.some((one) => one.purpose === 'public' && same(one, port, proto))
    throw made
      ? new DcmError(
          'conflict',
          `${container.name} was made with port ${called({ container: port, proto })}, so it has to be made anew without it.`,
          { try: `recreate ${container.name} --clear ports` },
        )
      : new DcmError('conflict', `${container.name} has no port ${called({ container: port, proto })} open.`, {
          try: `port ls ${container.name}`,
        })
  },
  steps: [
    {
      name: 'close',
      forward: true,
      async do(run) {
        const { containerId, port, proto } = run.input
        const container = await run.store.containers.byId(containerId)
        const mine = container && find(container, port, proto)
        if (!mine) return
        await run.host(container.hostId).engine.unforward(forwarder(run.place.instance, mine.proto, mine.host))
        await dropRow(run, containerId, port, proto)
      },
    },
  ],
  reply: ({ input, state }) =>
    ok(`Port ${called({ container: input.port, proto: input.proto })} of ${state.name} is closed.`, {
      data: { container: state.name, port: input.port, proto: input.proto },
    }),
})
