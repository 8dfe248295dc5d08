import { others } from '../core/containers/after.ts'
import { checkDisk, checkKeys, lockMember, reserve, reserveHost } from '../core/containers/admit.ts'
import { checkGrants, mayUse } from '../core/containers/allow.ts'
import { present } from '../core/containers/change.ts'
import { freshUse } from '../core/containers/disk.ts'
import { exchangePorts, settlePorts } from '../core/containers/exchange.ts'
import { renewForwards } from '../core/containers/forward.ts'
import { locate } from '../core/containers/locate.ts'
import { engineNameOf } from '../core/containers/named.ts'
import { joinNetworks, namesOf, networkFor } from '../core/containers/network.ts'
import { prove } from '../core/containers/prove.ts'
import { settle } from '../core/containers/start.ts'
import { asked, checkNetworks, settleJoins } from '../core/containers/networks.ts'
import { checkVolumes } from '../core/containers/volumes.ts'
import { wishFor } from '../core/containers/wish.ts'
import { HostError, isFault } from '../core/host/fault.ts'
import { type Container, type Desired, type Port, publicPorts } from '../core/model/container.ts'
import type { NetworkRef } from '../core/model/network.ts'
import { defineOperation, type Run, type Works } from '../core/operation/define.ts'
import { toData, toFields } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

/** How often the old one is tried to be removed: Docker may not be able to for a moment, while something reads its files. */
const removals = 5

/** What it is to become. `engineName` is the operation's own, so that old and new are never taken for one another. */
type Target = {
  engineName: string
  imageId: string
  imageEngineId: string
  imageRef: string
  ssh: boolean
  ports: Port[]
  gained: Port[]
}
/** `now`: what the answer is told from; the last step's alone, for what is stored and read again has no dates in it. */
type State = {
  before: Desired
  old: { engineId: string | null; engineName: string; imageRef: string }
  target: Target
  now?: Container
}
type Mine = Run<'recreate', State>

/** The container as it is to be. */
async function becoming(run: Mine): Promise<Container> {
  const { engineName, imageId, imageRef, ssh, ports } = run.state.target
  const container = await present(run.store, run.input.containerId)
  const { spec } = run.input
  const joined = joinsOf(run, container).map(({ id, name }) => ({
    ...{ id, name },
    engineName: namesOf(run.place.instance, id).name,
  }))
  return { ...container, engineId: null, engineName, imageId, imageRef, ssh, ports, spec, joined }
}

/** Networks that it is to be on beside the one that it is made on. */
const joinsOf = ({ input }: Mine, { joined }: Container): readonly NetworkRef[] =>
  (input.joins ?? joined).filter((one) => one.id !== input.spec.network?.id)

/** Makes the new engine container, or finds the one that was made. */
async function make(run: Mine): Promise<Container> {
  const container = await becoming(run)
  const network = await networkFor(run, container)
  const wish = await wishFor(run, container, network, run.state.target.imageEngineId)
  const { engineId } = await run.host(container.hostId).engine.create(wish)
  await joinNetworks(run, container, engineId)
  return { ...container, engineId }
}

/** From here on the database says that the new one is the container, and nothing of it may be taken back. */
const adopted = async (run: Mine): Promise<boolean> =>
  (await run.store.containers.byId(run.input.containerId))?.engineName === run.state.target.engineName

async function dropNew(run: Mine): Promise<void> {
  if (await adopted(run)) return
  const { engine } = run.host(run.settings.hostId)
  const seen = await engine.find(run.state.target.engineName)
  if (seen) await engine.remove(seen.engineId)
}

/** Brings the one before back to how it was. */
async function putBack(run: Mine): Promise<void> {
  const { old, before } = run.state
  const container = await run.store.containers.byId(run.input.containerId)
  if (!container || !old.engineId || (await adopted(run))) return
  const { engine } = run.host(container.hostId)
  try {
    if (before === 'running' || before === 'paused') {
      const network = await networkFor(run, container)
      // Its folders as they have to be, also when the machine was started anew meanwhile.
      await wishFor(run, container, network)
      const { state } = await engine.inspect(old.engineId)
      if (state !== 'paused') await engine.start(old.engineId)
      if (before === 'paused' && state !== 'paused') await engine.pause(old.engineId)
    }
    await settle(run, container, await engine.inspect(old.engineId))
  } catch (error) {
    if (!(error instanceof HostError) || error.fault === 'down') throw error
    await run.store.containers.update(container.id, {
      desired: 'exited',
      trouble: 'It could not be started again after an attempt to make it anew; try start.',
    })
  }
}

/**
 * Makes a container anew where Docker cannot change it in place: its image, ports, variables, capabilities or command.
 * Name, storage, limits and host key stay. The one before is only stopped until the new one has proved itself, and is
 * started again when it has not; whatever happens in between, one of them is the container. The other is removed, or left
 * for an admin whom `doctor` tells of it where Docker cannot remove it.
 */
export const recreate = defineOperation<'recreate', State>({
  kind: 'recreate',
  subject: (input) => `container:${input.containerId}`,
  doing: 'being made anew',
  before: freshUse,
  async admit(tx, input, id, works: Works) {
    const container = await present(tx, input.containerId)
    const { low, high } = works.settings.ports
    const member = await lockMember(tx, container.ownerId)
    const image = await tx.images.byId(input.imageId)
    if (!image || !mayUse(image, container.ownerId, member.grants))
      throw new DcmError('not_found', `You have no image called ${input.imageRef}.`, { try: 'images' })
    if (image.ssh && !container.ssh) await checkKeys(tx, container.ownerId)
    const own = publicPorts(container)
    // A number that DCM chose stays by itself; one that a grant named is asked for again, for the grant may be gone.
    const chosen = (port: { host?: number; proto: string }) =>
      own.some((one) => one.host === port.host && one.proto === port.proto) && port.host! >= low && port.host! <= high
    const wished = (input.ports ?? own).map((port) => ({
      ...{ container: port.container, proto: port.proto },
      ...(port.host === undefined || chosen(port) ? {} : { host: port.host }),
    }))
    checkGrants(member.grants, input.spec, wished)
    if (input.health && !wished.some((port) => port.container === input.health!.port && port.proto === 'tcp'))
      throw new DcmError(
        'usage',
        `--health asks port ${input.health.port}, which ${container.name} does not publish; add -p ${input.health.port}.`,
      )
    await checkVolumes(tx, container.ownerId, input.spec.volumes)
    await checkNetworks(tx, container.ownerId, asked(input.spec, input.joins))
    const before = container.desired
    const { memory, cpus, pids } = container.limits
    const more = Math.max(0, wished.length - own.length)
    if (before === 'running' || before === 'paused') await reserve(tx, member, { ports: more })
    else {
      checkDisk(member)
      await reserve(tx, member, { running: 1, memory, cpus, pids, ports: more })
      await reserveHost(tx, container.hostId, memory)
      await tx.containers.update(container.id, { desired: 'running', revivals: 0, reviveAt: null, trouble: null })
    }
    await tx.hosts.lock(container.hostId)
    const ssh = image.ssh ? [{ container: 22, proto: 'tcp' as const, purpose: 'ssh' as const }] : []
    const wishes = [...ssh, ...wished.map((port) => ({ ...port, purpose: 'public' as const }))]
    const { ports, gained } = await exchangePorts(tx, container, wishes, works.settings.ports, works.random)
    return {
      before,
      old: { engineId: container.engineId, engineName: container.engineName, imageRef: container.imageRef },
      target: {
        ...{ engineName: engineNameOf(works.place.instance, id), ports, gained },
        ...{ imageId: image.id, imageEngineId: image.engineId, imageRef: image.ref, ssh: image.ssh },
      },
    }
  },
  steps: [
    {
      name: 'make',
      async do(run) {
        await others(run, run.input.after)
        await run.say('making the new one')
        await make(run)
      },
      undo: dropNew,
    },
    {
      name: 'switch',
      async do(run) {
        const container = await make(run)
        const { engine } = run.host(container.hostId)
        const { old } = run.state
        await run.say('stopping the old one')
        try {
          if (old.engineId) await engine.stop(old.engineId, run.input.seconds)
        } catch (error) {
          if (!isFault(error, 'gone')) throw error
        }
        await run.say('starting the new one')
        try {
          await engine.start(container.engineId!)
          await prove(run, container, run.input.health)
        } catch (error) {
          const held = isFault(error, 'taken')
          if (!held && !(error instanceof DcmError && error.code === 'conflict')) throw error
          const why = held
            ? `One of the ports of ${container.name} is held by something else on this host.`
            : error.message
          throw new DcmError(
            'conflict',
            old.engineId ? `${why.replace(/\.?$/, '.')} The one before is put back.` : why,
            {
              cause: error,
              try: `inspect ${container.name}`,
            },
          )
        }
      },
      async undo(run) {
        await dropNew(run)
        await putBack(run)
      },
    },
    {
      name: 'adopt',
      async do(run) {
        const { target } = run.state
        const { engine } = run.host(run.settings.hostId)
        const seen = await engine.find(target.engineName)
        if (!seen)
          throw new DcmError(
            'conflict',
            'The new container was removed in Docker before it was the container; the one before is put back.',
          )
        await run.store.tx(async (tx) => {
          const container = await present(tx, run.input.containerId)
          if (container.engineName === target.engineName) return
          await settlePorts(tx, container, target.ports)
          await settleJoins(tx, container, joinsOf(run, container))
          await tx.containers.update(container.id, {
            ...{ engineId: seen.engineId, engineName: target.engineName, spec: run.input.spec, ssh: target.ssh },
            // The image may have been removed meanwhile; what is made of it goes on.
            ...{
              imageId: (await tx.images.byId(target.imageId)) ? target.imageId : null,
              imageEngineId: target.imageEngineId,
              imageRef: target.imageRef,
            },
            ...{ desired: 'running', commandExit: null, layerBytes: 0 },
          })
        })
      },
    },
    {
      // From here on the new one is the container: nothing is undone any more, so nothing may fail for good.
      name: 'drop the old',
      forward: true,
      async do(run) {
        const { engine } = run.host(run.settings.hostId)
        const container = await present(run.store, run.input.containerId)
        try {
          await settle(run, container, await engine.inspect(container.engineId!))
        } catch (error) {
          // Removed in Docker meanwhile, which reconciling sees: it must not keep this open for ever.
          if (!isFault(error, 'gone')) throw error
        }
        for (let tries = 0; tries < removals; tries++)
          try {
            const seen = await locate(engine, run.state.old)
            if (seen) await engine.remove(seen.engineId)
            break
          } catch (error) {
            if (!(error instanceof HostError) || error.fault === 'down') throw error
            if (tries < removals - 1) await run.sleep(200 * 2 ** tries)
          }
        const now = await present(run.store, run.input.containerId)
        await renewForwards(run, now)
        return { now }
      },
    },
  ],
  async release(run) {
    const { before, target } = run.state
    const container = await run.store.containers.byId(run.input.containerId)
    if (!container || container.engineName === target.engineName) return
    await run.store.tx(async (tx) => {
      for (const port of target.gained) await tx.ports.release(container.hostId, port.proto, port.host)
      if (before === 'exited') await tx.containers.update(container.id, { desired: 'exited' })
    })
  },
  reply({ input, state, place }) {
    const now = state.now!
    const was = state.old.imageRef === input.imageRef ? '' : `, and ran ${state.old.imageRef} before`
    return ok(
      `${now.name} runs ${input.imageRef} now${was}; its name, storage, limits and host key are as they were.`,
      {
        fields: toFields(now, place),
        data: toData(now, place),
        private: true,
      },
    )
  },
})
