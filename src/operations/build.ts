import type { Source } from '../core/command/intents.ts'
import { checkDisk, lockMember, reserve, reserveHost } from '../core/containers/admit.ts'
import { usableImages } from '../core/containers/allow.ts'
import { basesIn, findBases, reads } from '../core/containers/bases.ts'
import { fresh, mine, specFor, timed } from '../core/containers/builder.ts'
import { freshUse } from '../core/containers/disk.ts'
import { goesOn } from '../core/containers/ended.ts'
import { erase } from '../core/containers/erase.ts'
import { longest } from '../core/containers/flow.ts'
import { foldersOf, rootFor, stagesAt } from '../core/containers/folders.ts'
import { type Doing, doing, keep } from '../core/containers/making.ts'
import { engineNameOf, engineRefOf } from '../core/containers/named.ts'
import { ensureNetwork } from '../core/containers/network.ts'
import { createOutput } from '../core/containers/output.ts'
import { type Beside, besides, keepImage } from '../core/containers/ownimage.ts'
import { checkValues, plan, readRecipe } from '../core/containers/recipe.ts'
import { clone, fetcher, readDockerfile, receive } from '../core/containers/source.ts'
import { dropTag } from '../core/containers/tags.ts'
import { sshPaths } from '../core/host/engine.ts'
import type { Host } from '../core/host/host.ts'
import { madeToRun } from '../core/model/image.ts'
import { formatSize } from '../core/model/units.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { createLine, notByItself } from '../core/reply/image.ts'
import { plain } from '../core/reply/text.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { createHostKey } from '../core/secret/keys.ts'

type State = Beside & {
  name: string
  engineRef: string
  /** The engine's ids of what each stage builds on, and a Dockerfile that was fetched: both are known only then. */
  bases?: string[]
  dockerfile?: string
  network?: string
  made?: { engineId: string; size: number; layers: number; ssh: boolean }
  runs?: string[]
  output?: string
  cut?: boolean
}
type Mine = Run<'build', State>

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

/** What leads to the folders of a build is no part of the image. */
async function tidy(run: Mine, host: Host, engineId: string): Promise<void> {
  const places = foldersOf(run.id, run.input, { fetching: false, stages: stagesOf(run) }).map((one) => one.path)
  if (places.length === 0) return
  const argv = ['/bin/rm', '-f', ...places]
  const going = await host.engine.exec(engineId, { argv, env: [], user: '0', tty: null, input: false })
  for await (const _ of going.output);
}

/** Takes its folders away with what is in them; already gone is success. */
async function clear(run: Mine, host: Host): Promise<void> {
  // How many stages it was to have may not have been stored any more.
  const stages = run.input.source ? Infinity : stagesOf(run)
  for (const { id } of foldersOf(run.id, run.input, { fetching: false, stages }))
    await host.files.removeVolume(run.input.ownerId, id)
}

const stagesOf = ({ state }: Mine): number => state.bases?.length ?? 0

/** Fetches what is built into a folder that only this build's containers see. */
async function fetch(run: Mine, host: Host, source: Source, at: (engineId: string) => void): Promise<void> {
  const {
    id: imageId,
    engineId: imageEngineId,
    ref: imageRef,
  } = await fetcher(run, host, run.input.ownerId, source.kind)
  await run.store.containers.update(run.id, { imageId, imageEngineId, imageRef })
  const engineId = await fresh(run, host)
  at(engineId)
  await run.say(source.kind === 'git' ? `fetching ${source.url}` : 'receiving')
  if (source.kind === 'git') await clone(host, engineId, source)
  else await receive(run, host, await mine(run), engineId)
}

/** Reads the Dockerfile that has been fetched, in the container that has fetched it or, after a crash, in one like it. */
async function read(run: Mine, host: Host, source: Source, at: (engineId: string) => void): Promise<Partial<State>> {
  const { input, store } = run
  const seen = await host.engine.find((await mine(run)).engineName)
  const engineId = seen?.state === 'running' ? seen.engineId : await fresh(run, host)
  at(engineId)
  const dockerfile = input.dockerfile ?? (await readDockerfile(host, engineId, source, input.file ?? 'Dockerfile'))
  const bases = await store.tx((tx) => findBases(tx, input, dockerfile))
  const { id: imageId, engineId: imageEngineId, ref: imageRef } = bases.at(-1)!
  const spec = specFor(run.id, input, { fetching: false, stages: bases.length })
  await store.containers.update(run.id, { imageId, imageEngineId, imageRef, spec })
  return { dockerfile, bases: bases.map((one) => one.engineId) }
}

/** Carries out every stage, each in a container of its own, one after the other. @returns the last one's image */
async function make(run: Mine, host: Host, log: ReturnType<typeof createOutput>, at: (engineId: string) => void) {
  const { input, id } = run
  const recipe = readRecipe(run.state.dockerfile ?? input.dockerfile!, reads(input))
  const stages = plan(recipe, input.args, await basesIn(host, run.state.bases!))
  const all = stages.flatMap((stage) => stage.tasks)
  const from = { root: rootFor(input), stages: stagesAt(input) }
  for (const [number, { tasks, config }] of stages.entries()) {
    const engineId = await fresh(run, host, run.state.bases![number]!)
    at(engineId)
    const carryOut = async (task: Doing, told: number) => {
      if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
      await perform(run, host, engineId, task, log, `${told}/${all.length}`)
    }
    for (const task of tasks) {
      const n = all.indexOf(task)
      await carryOut(doing(task, id, n, from), n + 1)
    }
    for (const [n, task] of all.entries())
      if (task.kind === 'copy' && task.stage === number) await carryOut(keep(task, n, from.stages), n + 1)
    if (number < stages.length - 1) continue
    await tidy(run, host, engineId)
    await run.say('saving')
    const { owner } = await mine(run)
    const wish = { ref: run.state.engineRef, message: 'dcm build', author: owner, blankEnv: [], config }
    const seen = await host.engine.commit(engineId, wish)
    return { seen, runs: madeToRun(config) }
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
  doing: 'building an image, which kill ends',
  before: freshUse,
  async admit(tx, input, id, works) {
    // Before the lock: what makes no sense needs none.
    if (input.dockerfile !== null) checkValues(readRecipe(input.dockerfile, reads(input)), input.args)
    const member = await lockMember(tx, input.ownerId)
    const bases = input.dockerfile === null ? undefined : await findBases(tx, input, input.dockerfile)
    const base = bases?.at(-1) ?? (await usableImages(tx, input.ownerId, member.grants))[0]
    if (!base) throw new DcmError('not_found', 'There is no image to build on; ask an admin to offer one.')
    const name = `build-${id}`
    const { memory, cpus, pids } = input.limits
    checkDisk(member)
    const images = (await tx.images.byRef(input.ownerId, input.ref)) ? 0 : 1
    await reserve(tx, member, { containers: 1, running: 1, memory, cpus, pids, images })
    await reserveHost(tx, works.settings.hostId, memory)
    const key = createHostKey()
    await tx.containers.insert({
      ...{ id, ownerId: input.ownerId, hostId: works.settings.hostId, name },
      engineName: engineNameOf(works.place.instance, id),
      ...{ imageId: base.id, imageEngineId: base.engineId, imageRef: base.ref, memory, cpus, pids },
      spec: specFor(id, input, { fetching: input.source !== undefined, stages: bases?.length ?? 0 }),
      ssh: false,
      ...{ fingerprint: key.fingerprint, hostKey: key.publicKey, hostKeySealed: works.seal.seal(key.privateKey, id) },
    })
    const engineRef = engineRefOf(works.place.instance, id)
    return { name, engineRef, ...(bases ? { bases: bases.map((one) => one.engineId) } : {}) }
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
      name: 'fetch',
      async do(run) {
        const { source, lives } = run.input
        if (!source) return
        const host = run.host(run.settings.hostId)
        // What is sent may stand still for a minute and take an hour, as any copy.
        const ms = source.kind === 'sent' ? 2 * longest : lives
        await timed(run, host, ms, (at) => fetch(run, host, source, at))
      },
      async undo(run) {
        const host = run.host(run.settings.hostId)
        const seen = await host.engine.find(engineNameOf(run.place.instance, run.id))
        if (seen) await host.engine.remove(seen.engineId)
        await host.files.removeRun(run.id)
        await clear(run, host)
        await host.engine.untag(run.state.engineRef)
      },
    },
    {
      name: 'read',
      async do(run) {
        const { source, lives } = run.input
        if (!source) return
        const host = run.host(run.settings.hostId)
        return timed(run, host, lives, (at) => read(run, host, source, at))
      },
    },
    {
      name: 'build',
      async do(run) {
        const host = run.host(run.settings.hostId)
        const log = createOutput()
        const { seen, runs } = await timed(run, host, run.input.lives, (at) => make(run, host, log, at))
        const ssh = await host.engine.imageHas(seen.engineId, sshPaths)
        const { text, cut } = log.end()
        return {
          made: { engineId: seen.engineId, size: seen.size, layers: seen.layers, ssh },
          ...{ output: text, cut, runs },
        }
      },
    },
    {
      name: 'record',
      async do({ id, input, state, store, settings, now }) {
        const { made, engineRef } = state
        return store.tx(async (tx) => {
          await goesOn({ store: tx, id })
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
        const host = run.host(run.settings.hostId)
        await clear(run, host)
        if (run.state.replaced) await dropTag(host, run.state.replaced)
      },
    },
  ],
  release: (run) => run.store.containers.remove(run.id),
  reply({ input, state }) {
    const { size, layers, ssh } = state.made!
    const inside = ssh ? '' : ' It has no SSH server, so containers of it are entered through DCM.'
    return ok(
      `Built ${input.ref}, ${formatSize(size)}.${inside}${notByItself(input.ref, state.runs ?? [], createLine(input.ref))}${besides(state)}`,
      {
        private: true,
        ...(state.output ? { code: state.output } : {}),
        data: { image: input.ref, size, layers, ssh, output: state.output ?? '', cut: state.cut ?? false },
        actions: [{ label: 'Create from it', line: `create NAME --image ${input.ref}` }],
      },
    )
  },
})
