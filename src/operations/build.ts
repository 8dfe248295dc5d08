import { checkDisk, lockMember, readGrants, reserve, reserveHost } from '../core/containers/admit.ts'
import { mayUse } from '../core/containers/allow.ts'
import { erase } from '../core/containers/erase.ts'
import { clearing, type Doing, doing, keep } from '../core/containers/making.ts'
import { type Beside, besides, keepImage } from '../core/containers/ownimage.ts'
import { ensureNetwork } from '../core/containers/network.ts'
import { createOutput } from '../core/containers/output.ts'
import { basesOf, checkValues, plan, readRecipe } from '../core/containers/recipe.ts'
import { dropTag } from '../core/containers/tags.ts'
import { wishFor } from '../core/containers/wish.ts'
import { type Host, isFault, type SeenImage, sshPaths } from '../core/host/host.ts'
import type { Container } from '../core/model/container.ts'
import { formatDuration, formatSize } from '../core/model/units.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { plain } from '../core/reply/text.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { createHostKey } from '../core/secret/keys.ts'
import type { Tables } from '../core/store/store.ts'

type State = Beside & {
  name: string
  engineRef: string
  /** The engine's ids of what each stage builds on. */
  bases: string[]
  network?: string
  made?: { engineId: string; size: number; layers: number; ssh: boolean }
  output?: string
  cut?: boolean
}
type Mine = Run<'build', State>

/** The image that FROM names, as this member may use it now: their own before an offered one. */
async function findBase(tx: Tables, ownerId: string, ref: string) {
  const grants = readGrants(await tx.grants.of(ownerId))
  const all = (await tx.images.visible(ownerId)).filter((one) => one.ref === ref && mayUse(one, ownerId, grants))
  const image = all.find((one) => one.ownerId === ownerId) ?? all[0]
  if (!image) throw new DcmError('not_found', `You have no image called ${ref}.`, { try: 'images' })
  return image
}

async function mine(run: Mine): Promise<Container> {
  const container = await run.store.containers.byId(run.id)
  if (!container) throw new DcmError('conflict', `${run.state.name} was removed before the build had ended.`)
  return container
}

/** A container that no earlier life of this build has touched. */
async function fresh(run: Mine, host: Host, base: string): Promise<string> {
  const container = await mine(run)
  const old = await host.engine.find(container.engineName)
  if (old) await host.engine.remove(old.engineId)
  const { engineId } = await host.engine.create(await wishFor(run, container, run.state.network!, base))
  await run.store.containers.update(container.id, { engineId, state: 'created' })
  await host.engine.start(engineId)
  await run.store.containers.update(container.id, { state: 'running', startedAt: run.now() })
  return engineId
}

/** Does one thing inside and tells how it goes. @throws DcmError with the line and the end of what was printed */
async function perform(
  run: Mine,
  host: Host,
  engineId: string,
  task: Doing,
  log: ReturnType<typeof createOutput>,
  at: string,
) {
  const own = createOutput()
  let told = 0
  log.take({ stream: 'stdout', data: Buffer.from(`${at}: ${task.said}\n`) })
  await run.say(`${at}: ${task.said}`)
  const going = await host.engine.exec(engineId, {
    argv: task.argv,
    env: task.env,
    user: task.user,
    tty: null,
    input: false,
  })
  for await (const chunk of going.output) {
    own.take(chunk)
    log.take(chunk)
    const now = run.now().getTime()
    if (now - told < 1000) continue
    told = now
    const last = plain(chunk.data.toString('utf8')).trim().split('\n').at(-1) ?? ''
    run.say(`${at}: ${last.slice(0, 200)}`).catch(() => undefined)
  }
  const code = await going.exit()
  if (code === 0) return
  const words = own.end().text.trim().replaceAll('\n', ' / ').slice(-400)
  throw new DcmError(
    'conflict',
    `Line ${task.line} (${task.said}) ended with exit code ${code ?? '?'}.${words ? ` It said: ${words.replace(/\.+$/, '')}.` : ''}`,
  )
}

/** What each stage builds on. @throws DcmError `conflict` */
async function basesIn(run: Mine, host: Host): Promise<SeenImage[]> {
  return Promise.all(
    run.state.bases.map(async (id) => {
      const base = await host.engine.image(id)
      if (!base) throw new DcmError('conflict', 'An image to build on is gone.', { try: 'images' })
      if ((await host.engine.inside(id)).triggers > 0)
        throw new DcmError('conflict', 'An image to build on has ONBUILD lines, which are not run here; use another.')
      return base
    }),
  )
}

/** Clears away what stages have left for each other, as far as there is a container to do it in. */
async function clear(run: Mine, host: Host, engineId: string): Promise<void> {
  const going = await host.engine.exec(engineId, { argv: clearing(run.id), env: [], tty: null, input: false })
  for await (const _ of going.output);
}

/** Carries out every stage, each in a container of its own, one after the other. @returns the last one's image */
async function make(run: Mine, host: Host, log: ReturnType<typeof createOutput>, at: (engineId: string) => void) {
  const { input, id } = run
  const stages = plan(readRecipe(input.dockerfile, input.context), input.args, await basesIn(run, host))
  const all = stages.flatMap((stage) => stage.tasks)
  for (const [number, { tasks, config }] of stages.entries()) {
    const engineId = await fresh(run, host, run.state.bases[number]!)
    at(engineId)
    const carryOut = async (task: Doing, told: number) => {
      if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
      await perform(run, host, engineId, task, log, `${told}/${all.length}`)
    }
    try {
      for (const task of tasks) {
        const n = all.indexOf(task)
        await carryOut(doing(task, id, n, input.context), n + 1)
      }
      for (const [n, task] of all.entries())
        if (task.kind === 'copy' && task.stage === number) await carryOut(keep(task, id, n), n + 1)
    } catch (error) {
      if (stages.length > 1) await clear(run, host, engineId).catch(() => undefined)
      throw error
    }
    if (number < stages.length - 1) continue
    if (stages.length > 1) await clear(run, host, engineId)
    await run.say('saving')
    const { owner } = await mine(run)
    const wish = { ref: run.state.engineRef, message: 'dcm build', author: owner, blankEnv: [], config }
    return host.engine.commit(engineId, wish)
  }
  throw new Error('a recipe has a stage')
}

/**
 * Builds an image in a container of its member's: the same capabilities, limits, network and firewall as all of theirs,
 * where the engine's own builder would run each line with more and without a limit of processes. It begins anew after a
 * crash, in a new container.
 */
export const build = defineOperation<'build', State>({
  kind: 'build',
  subject: (_, id) => `container:${id}`,
  doing: 'building an image',
  async admit(tx, input, id, works) {
    const recipe = readRecipe(input.dockerfile, input.context)
    checkValues(recipe, input.args)
    const member = await lockMember(tx, input.ownerId)
    const bases = []
    for (const ref of basesOf(recipe, input.args)) bases.push(await findBase(tx, input.ownerId, ref))
    const base = bases.at(-1)!
    const name = `build-${id}`
    const { memory, cpus, pids } = input.limits
    checkDisk(member)
    const images = (await tx.images.byRef(input.ownerId, input.ref)) ? 0 : 1
    await reserve(tx, member, { containers: 1, running: 1, memory, cpus, pids, images })
    await reserveHost(tx, works.settings.hostId, memory)
    const key = createHostKey()
    await tx.containers.insert({
      ...{ id, ownerId: input.ownerId, hostId: works.settings.hostId, name },
      engineName: `dcm-${works.place.instance}-${id}`,
      ...{ imageId: base.id, imageEngineId: base.engineId, imageRef: base.ref, memory, cpus, pids },
      spec: {
        // It ends by itself, whatever becomes of DCM.
        command: ['sleep', String(Math.ceil(input.lives / 1000) + 120)],
        ...{ env: [], restart: { name: 'no' }, caps: [], devices: [], seccomp: null },
      },
      ssh: false,
      ...{ fingerprint: key.fingerprint, hostKey: key.publicKey, hostKeySealed: works.seal.seal(key.privateKey, id) },
    })
    return { name, bases: bases.map((one) => one.engineId), engineRef: `dcm/${works.place.instance}/${id}:latest` }
  },
  steps: [
    {
      name: 'network',
      async do(run) {
        await run.say('making room')
        return { network: await ensureNetwork(run, run.input.ownerId, run.settings.hostId) }
      },
    },
    {
      name: 'build',
      async do(run) {
        const host = run.host(run.settings.hostId)
        const log = createOutput()
        let now: string | undefined
        let late = false
        const timer = setTimeout(() => {
          late = true
          if (now) host.engine.stop(now, 0).catch(() => undefined)
        }, run.input.lives)
        try {
          const seen = await make(run, host, log, (engineId) => {
            if (late) throw new DcmError('limited', 'It took too long.')
            now = engineId
          })
          const ssh = await host.engine.imageHas(seen.engineId, sshPaths)
          const { text, cut } = log.end()
          return {
            made: { engineId: seen.engineId, size: seen.size, layers: seen.layers, ssh },
            ...{ output: text, cut },
          }
        } catch (error) {
          if (late)
            throw new DcmError(
              'limited',
              `It took longer than ${formatDuration(run.input.lives)} and was ended; give it more with --timeout.`,
              {
                cause: error,
              },
            )
          if (isFault(error, 'gone') || isFault(error, 'taken'))
            throw new DcmError('conflict', `${run.state.name} ended before the build had.`, { cause: error })
          throw error
        } finally {
          clearTimeout(timer)
        }
      },
      async undo(run) {
        const host = run.host(run.settings.hostId)
        const seen = await host.engine.find(`dcm-${run.place.instance}-${run.id}`)
        if (seen) await host.engine.remove(seen.engineId)
        await host.files.removeRun(run.id)
        await host.engine.untag(run.state.engineRef)
      },
    },
    {
      name: 'record',
      async do({ id, input, state, store, settings, now }) {
        const { made, engineRef } = state
        return store.tx(async (tx) => {
          const { used, limits } = await lockMember(tx, input.ownerId)
          const room = limits.disk.limit - used.disk
          if (made!.size > room && (await tx.images.byId(id)) === undefined)
            throw new DcmError(
              'limited',
              `The image is ${formatSize(made!.size)}, and you have ${formatSize(Math.max(0, room))} of disk left: remove an image or a container first.`,
              { try: 'df' },
            )
          const facts = { engineRef, source: null, about: 'built here', hostId: settings.hostId }
          return keepImage(tx, { id, ownerId: input.ownerId, ref: input.ref, now: now() }, { ...made!, ...facts })
        })
      },
    },
    {
      name: 'remove',
      forward: true,
      async do(run) {
        const container = await run.store.containers.byId(run.id)
        if (container) await erase(run, container)
        if (run.state.replaced) await dropTag(run.host(run.settings.hostId), run.state.replaced)
      },
    },
  ],
  release: (run) => run.store.containers.remove(run.id),
  reply({ input, state }) {
    const { size, layers, ssh } = state.made!
    const inside = ssh ? '' : ' It has no SSH server, so containers of it are entered through DCM.'
    return ok(`Built ${input.ref}, ${formatSize(size)}.${inside}${besides(state)}`, {
      private: true,
      ...(state.output ? { code: state.output } : {}),
      data: { image: input.ref, size, layers, ssh, output: state.output ?? '', cut: state.cut ?? false },
      actions: [{ label: 'Create from it', line: `create NAME --image ${input.ref}` }],
    })
  },
})
