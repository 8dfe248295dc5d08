import { checkDisk, lockMember, reserve, reserveHost } from '../core/containers/admit.ts'
import { mayUse } from '../core/containers/allow.ts'
import { freshUse } from '../core/containers/disk.ts'
import { goesOn } from '../core/containers/ended.ts'
import { erase } from '../core/containers/erase.ts'
import { joinNetworks, networkFor } from '../core/containers/network.ts'
import { engineNameOf } from '../core/containers/named.ts'
import { asked, checkNetworks } from '../core/containers/networks.ts'
import { type Output, createOutput } from '../core/containers/output.ts'
import { checkVolumes } from '../core/containers/volumes.ts'
import { wishFor } from '../core/containers/wish.ts'
import { isFault } from '../core/host/fault.ts'
import type { Container } from '../core/model/container.ts'
import { formatDuration } from '../core/model/units.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ended } from '../core/reply/ended.ts'
import { createHostKey } from '../core/secret/keys.ts'

type State = { name: string; network?: string; code?: number | null; late?: boolean } & Partial<Printed>
type Printed = { output: string } & Pick<Output, 'cut' | 'changed'>
type Mine = Run<'run', State>

const removed = (name: string, cause?: unknown) =>
  new DcmError('conflict', `The job ${name} was removed in Docker before it ended.`, { cause })

async function job(run: Mine): Promise<Container> {
  const container = await run.store.containers.byId(run.id)
  if (!container) throw removed(run.state.name)
  return container
}

/** What it has printed so far, all of it. */
async function outputOf(run: Mine, container: Container): Promise<Printed> {
  const output = createOutput()
  for await (const chunk of run.host(container.hostId).engine.logs(container.engineId!, {}, run.signal))
    output.take(chunk)
  const { text, ...how } = output.end()
  return { output: text, ...how }
}

/** Runs one command in a container of its own, waits for its end, keeps what it printed, and removes it. */
export const run = defineOperation<'run', State>({
  kind: 'run',
  subject: (_, id) => `container:${id}`,
  doing: 'running its job, which kill ends',
  before: freshUse,
  async admit(tx, input, id, works) {
    const member = await lockMember(tx, input.ownerId)
    const image = await tx.images.byId(input.imageId)
    if (!image || !mayUse(image, input.ownerId, member.grants))
      throw new DcmError('not_found', `You have no image called ${input.imageRef}.`, { try: 'images' })
    const name = input.name ?? `job-${id}`
    if (await tx.containers.byName(input.ownerId, name))
      throw new DcmError('conflict', `You already have a container called ${name}.`, { try: `inspect ${name}` })
    await checkVolumes(tx, input.ownerId, input.volumes)
    await checkNetworks(tx, input.ownerId, asked(input, input.joins))
    const { memory, cpus, pids } = input.limits
    checkDisk(member)
    await reserve(tx, member, { containers: 1, running: 1, memory, cpus, pids })
    await reserveHost(tx, works.settings.hostId, memory)
    const key = createHostKey()
    await tx.containers.insert({
      ...{
        id,
        ownerId: input.ownerId,
        hostId: works.settings.hostId,
        name,
        engineName: engineNameOf(works.place.instance, id),
      },
      ...{ imageId: image.id, imageEngineId: image.engineId, imageRef: image.ref, memory, cpus, pids },
      spec: {
        ...{ env: input.env, command: input.command, restart: { name: 'no' }, caps: [], devices: [], seccomp: null },
        ...(input.volumes ? { volumes: input.volumes } : {}),
        ...(input.network ? { network: input.network } : {}),
      },
      // It is its command and nothing beside it, so nobody logs in.
      ssh: false,
      ...{ fingerprint: key.fingerprint, hostKey: key.publicKey, hostKeySealed: works.seal.seal(key.privateKey, id) },
    })
    for (const network of input.joins ?? []) await tx.networks.join(network.id, works.settings.hostId, id)
    return { name }
  },
  steps: [
    {
      name: 'network',
      async do(run) {
        await run.say('making storage and network')
        return { network: await networkFor(run, await job(run)) }
      },
    },
    {
      name: 'start',
      async do(run) {
        const container = await job(run)
        await goesOn(run)
        const { engine } = run.host(container.hostId)
        const { engineId } = await engine.create(await wishFor(run, container, run.state.network!))
        await run.store.containers.update(container.id, { engineId, state: 'created' })
        await joinNetworks(run, container, engineId)
        // One that has run is never started again, whatever was cut off in between.
        if ((await engine.inspect(engineId)).state === 'created') await engine.start(engineId)
        await run.store.containers.update(container.id, { state: 'running', startedAt: run.now() })
      },
      async undo(run) {
        const host = run.host(run.settings.hostId)
        const seen = await host.engine.find(engineNameOf(run.place.instance, run.id))
        if (seen) await host.engine.remove(seen.engineId)
        await host.files.removeRun(run.id)
      },
    },
    {
      name: 'wait',
      async do(run) {
        const container = await job(run)
        const { engine } = run.host(container.hostId)
        await run.say('running')
        let late = false
        try {
          for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
            const seen = await engine.inspect(container.engineId!)
            if (seen.state === 'exited' || seen.state === 'dead') {
              await goesOn(run)
              return { ...(await outputOf(run, container)), late, code: late ? null : (seen.exitCode ?? null) }
            }
            // By the clock of the start, so that a new life of DCM gives it no more time.
            if (run.now().getTime() - (container.startedAt?.getTime() ?? 0) > run.input.lives) {
              late = true
              await engine.stop(container.engineId!, 5)
            } else await run.sleep(wait)
            if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
          }
        } catch (error) {
          await goesOn(run)
          if (isFault(error, 'gone')) throw removed(container.name, error)
          throw error
        }
      },
    },
    {
      name: 'remove',
      forward: true,
      async do(run) {
        const container = await run.store.containers.byId(run.id)
        if (container) await erase(run, container)
      },
    },
  ],
  release: (run) => run.store.containers.remove(run.id),
  reply: ({ input, state, place }) =>
    ended(
      state.late
        ? `${input.command[0]} did not end within ${formatDuration(input.lives)} and was stopped.`
        : `${input.command[0]} in ${input.imageRef}`,
      {
        ...{ name: state.name, code: state.code ?? null, late: state.late ?? false },
        ...{ output: state.output ?? '', cut: state.cut ?? false, changed: state.changed ?? null },
        whole: place.ssh
          ? `a container of your own (create) with ssh -p ${place.ssh.port} NAME+CONTAINER@${place.publicHost} -- …`
          : 'a file in a volume of yours (-v)',
      },
    ),
})
