import { checkDisk, lockMember, readGrants, reserve, reserveHost } from '../core/containers/admit.ts'
import { mayUse } from '../core/containers/allow.ts'
import { erase } from '../core/containers/erase.ts'
import { running } from '../core/containers/inside.ts'
import { keepImage } from '../core/containers/keep.ts'
import { ensureNetwork } from '../core/containers/network.ts'
import { createOutput } from '../core/containers/output.ts'
import { baseOf, plan, readRecipe, type Task } from '../core/containers/recipe.ts'
import { dropTag } from '../core/containers/tags.ts'
import { wishFor } from '../core/containers/wish.ts'
import { type Host, HostError, sshPaths } from '../core/host/host.ts'
import type { Container } from '../core/model/container.ts'
import { formatDuration, formatSize } from '../core/model/units.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { plain } from '../core/reply/text.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { createHostKey } from '../core/secret/keys.ts'
import type { Tables } from '../core/store/store.ts'

type State = {
  name: string
  engineRef: string
  base: string
  network?: string
  made?: { engineId: string; size: number; layers: number; ssh: boolean }
  output?: string
  cut?: boolean
  replaced?: string
}
type Mine = Run<'build', State>

/** Reads out of the folder that was named, below /storage, and gives what it makes to root or to whom COPY says. */
const copying = `set -eu
root=$1 target=$2 owner=$3
shift 3
cd /storage
cd "./$root" || { echo "/storage/$root is no folder"; exit 1; }
case $target in */) mkdir -p "$target" ;; *) mkdir -p "\${target%/*}/" ;; esac
IFS=
for source in "$@"; do
  found=
  for path in ./$source; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    found=1
    to=$target
    if [ -d "$path" ] && [ ! -L "$path" ]; then
      mkdir -p "$to"
      cp -RP "$path/." "$to"
      [ -n "$owner" ] || continue
      for inner in "$path"/* "$path"/.[!.]*; do
        [ -e "$inner" ] || [ -L "$inner" ] || continue
        chown -R "$owner" "\${to%/}/\${inner##*/}"
      done
    else
      case $to in */) to=$to\${path##*/} ;; esac
      cp -P "$path" "$to"
      [ -z "$owner" ] || chown "$owner" "$to"
    fi
  done
  [ -n "$found" ] || { echo "$source is not in /storage/$root"; exit 1; }
done
`

const program = (run: Mine, task: Task): { argv: string[]; env: string[]; user: string } => {
  if (task.kind === 'run') {
    const { argv, env } = running(task.argv, run.id, task.folder)
    return { argv, env: [...env, ...task.env], user: task.user }
  }
  const argv =
    task.kind === 'folder'
      ? ['/bin/mkdir', '-p', task.path]
      : ['/bin/sh', '-c', copying, 'dcm', run.input.context ?? '.', task.target, task.owner, ...task.sources]
  return { argv, env: [], user: '0' }
}

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
async function fresh(run: Mine, host: Host): Promise<string> {
  const container = await mine(run)
  const old = await host.engine.find(container.engineName)
  if (old) await host.engine.remove(old.engineId)
  const { engineId } = await host.engine.create(await wishFor(run, container, run.state.network!))
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
  task: Task,
  log: ReturnType<typeof createOutput>,
  at: string,
) {
  const own = createOutput()
  let told = 0
  log.take({ stream: 'stdout', data: Buffer.from(`${at}: ${task.said}\n`) })
  await run.say(`${at}: ${task.said}`)
  const going = await host.engine.exec(engineId, { ...program(run, task), tty: null })
  going.input.on('error', () => undefined)
  going.input.end()
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
    const member = await lockMember(tx, input.ownerId)
    const base = await findBase(tx, input.ownerId, baseOf(recipe, input.args))
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
    return { name, base: base.engineId, engineRef: `dcm/${works.place.instance}/${id}:latest` }
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
        const base = await host.engine.image(run.state.base)
        if (!base) throw new DcmError('conflict', 'The image to build on is gone.', { try: 'images' })
        if ((await host.engine.inside(base.engineId)).triggers > 0)
          throw new DcmError(
            'conflict',
            'The image to build on has ONBUILD lines, which are not run here; use another.',
          )
        const { tasks, config } = plan(readRecipe(run.input.dockerfile, run.input.context), run.input.args, base)
        const engineId = await fresh(run, host)
        const log = createOutput()
        let late = false
        const timer = setTimeout(() => {
          late = true
          host.engine.stop(engineId, 0).catch(() => undefined)
        }, run.input.lives)
        try {
          for (const [at, task] of tasks.entries()) {
            if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
            await perform(run, host, engineId, task, log, `${at + 1}/${tasks.length}`)
          }
          await run.say('saving')
          const owner = (await mine(run)).owner
          const wish = { ref: run.state.engineRef, message: 'dcm build', author: owner, blankEnv: [], config }
          const seen = await host.engine.commit(engineId, wish)
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
          if (error instanceof HostError && (error.fault === 'gone' || error.fault === 'taken'))
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
        const replaced = await store.tx(async (tx) => {
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
        return replaced ? { replaced } : {}
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
    return ok(`Built ${input.ref}, ${formatSize(size)}.${inside}`, {
      private: true,
      ...(state.output ? { code: state.output } : {}),
      data: { image: input.ref, size, layers, ssh, output: state.output ?? '', cut: state.cut ?? false },
      actions: [{ label: 'Create from it', line: `create NAME --image ${input.ref}` }],
    })
  },
})
