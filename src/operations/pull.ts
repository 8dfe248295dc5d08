import { checkDisk, lockMember, reserve } from '../core/containers/admit.ts'
import { freshUse } from '../core/containers/disk.ts'
import { engineRefOf } from '../core/containers/named.ts'
import { type Beside, besides, keepImage } from '../core/containers/ownimage.ts'
import { beyond, checkAllowed, credentialOf } from '../core/containers/registries.ts'
import { dropTag } from '../core/containers/tags.ts'
import { diskLimit } from '../core/containers/wish.ts'
import { type Moved, sshPaths } from '../core/host/engine.ts'
import { isFault } from '../core/host/fault.ts'
import type { Host } from '../core/host/host.ts'
import { formatRemote, type Remote } from '../core/model/registry.ts'
import { formatSize } from '../core/model/units.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type State = Beside & {
  engineRef: string
  digest?: string
  /** Somebody else's name for it was there before. */
  had?: boolean
  made?: { engineId: string; size: number; layers: number; ssh: boolean }
}
type Mine = Run<'pull', State>

const exact = (run: Mine): Remote & { digest: string } => ({ ...run.input.remote, digest: run.state.digest! })

const tooLarge = (what: string, size: number, room: number) =>
  new DcmError(
    'limited',
    `${what} is ${formatSize(size)} or more, and you have ${formatSize(Math.max(0, room))} of disk left: remove an image or a container first, or pull a smaller one.`,
    { try: 'df' },
  )

/** What a member may still fill, as last measured and with what was kept since. */
async function roomOf(run: Mine): Promise<number> {
  const [limit, usage] = await Promise.all([
    diskLimit(run, run.input.ownerId),
    run.store.people.usage(run.input.ownerId),
  ])
  return limit - (usage?.disk ?? 0)
}

/** Pulls, and lets go as soon as it is clear that there is no room: by what the registry says, and by what the disk does. */
async function within(run: Mine, host: Host, room: number) {
  const name = formatRemote(run.input.remote)
  const credential = await credentialOf(run, run.input.ownerId, run.input.remote.registry)
  const stop = new AbortController()
  let over: DcmError | undefined
  let told = 0
  const progress = ({ done, all }: Moved) => {
    if (all > room) {
      over = tooLarge(name, all, room)
      stop.abort()
    }
    const now = run.now().getTime()
    if (now - told < 1000) return
    told = now
    run.say(`pulling, ${formatSize(done)} of ${formatSize(all)}`).catch(() => undefined)
  }
  // What is small on the wire can be large on the disk.
  const watch = setInterval(() => {
    host.files.free().then(
      ({ engine, engineTotal }) => {
        if (engine > engineTotal * 0.05) return
        over = new DcmError(
          'unavailable',
          `The disk of this host is nearly full, so ${name} was not pulled; tell an admin.`,
        )
        stop.abort()
      },
      () => undefined,
    )
  }, 2000)
  try {
    return await host.engine.pull(exact(run), credential, progress, AbortSignal.any([run.signal, stop.signal]))
  } catch (error) {
    throw over ?? beyond(error, run.input.remote.registry)
  } finally {
    clearInterval(watch)
  }
}

/** Takes the name that it came under off again, where it is DCM's to take. */
async function letGo(run: Mine, host: Host): Promise<void> {
  if (run.state.had || !run.state.digest) return
  const seen = await host.engine.image(formatRemote(exact(run)))
  if (seen) await host.engine.release(exact(run), seen.engineId)
}

/** Brings an image from a registry to its member: by its digest, into a name of DCM's, counted as any of theirs. */
export const pull = defineOperation<'pull', State>({
  kind: 'pull',
  subject: (_, id) => `pull:${id}`,
  doing: 'being pulled',
  before: freshUse,
  async admit(tx, input, id, works) {
    await checkAllowed(tx, input.remote.registry)
    const member = await lockMember(tx, input.ownerId)
    checkDisk(member)
    await reserve(tx, member, { images: (await tx.images.byRef(input.ownerId, input.ref)) ? 0 : 1 })
    return { engineRef: engineRefOf(works.place.instance, id) }
  },
  steps: [
    {
      name: 'ask',
      async do(run) {
        const { remote, ownerId } = run.input
        const { engine } = run.host(run.settings.hostId)
        await run.say('asking the registry')
        const credential = await credentialOf(run, ownerId, remote.registry)
        const found = await engine
          .resolve(remote, credential)
          .catch((error: unknown) => Promise.reject(beyond(error, remote.registry)))
        if (found.platforms.length > 0 && !found.platforms.some((one) => one.startsWith('linux/')))
          throw new DcmError('conflict', `${formatRemote(remote)} is for ${found.platforms.join(', ')}, not for Linux.`)
        const had = (await engine.image(formatRemote({ ...remote, digest: found.digest }))) !== undefined
        return { digest: found.digest, had }
      },
    },
    {
      name: 'pull',
      async do(run) {
        const host = run.host(run.settings.hostId)
        for (let tries = 0; ; tries++) {
          const room = await roomOf(run)
          const seen = await within(run, host, room)
          if (seen.size > room) throw tooLarge(formatRemote(run.input.remote), seen.size, room)
          try {
            await host.engine.tag(seen.engineId, run.state.engineRef)
          } catch (error) {
            // Another's pull of the same was undone in between, and took it away.
            if (isFault(error, 'gone') && tries < 3) continue
            throw error
          }
          await letGo(run, host)
          const { engineId, size, layers } = seen
          return { made: { engineId, size, layers, ssh: await host.engine.imageHas(engineId, sshPaths) } }
        }
      },
      async undo(run) {
        const host = run.host(run.settings.hostId)
        await host.engine.untag(run.state.engineRef)
        await letGo(run, host)
      },
    },
    {
      name: 'record',
      async do({ id, input, state, store, settings, now }) {
        const from = formatRemote(input.remote)
        return store.tx(async (tx) => {
          const { used, limits } = await lockMember(tx, input.ownerId)
          const room = limits.disk.limit - used.disk
          // What came in beside this one counts too.
          if (state.made!.size > room && (await tx.images.byId(id)) === undefined)
            throw tooLarge(from, state.made!.size, room)
          const mine = { id, ownerId: input.ownerId, ref: input.ref, now: now() }
          const facts = { engineRef: state.engineRef, source: from, about: `from ${from}`, hostId: settings.hostId }
          return keepImage(tx, mine, { ...state.made!, ...facts })
        })
      },
    },
    {
      name: 'drop the old',
      forward: true,
      async do(run) {
        if (run.state.replaced) await dropTag(run.host(run.settings.hostId), run.state.replaced)
      },
    },
  ],
  reply({ input, state }) {
    const { size, layers, ssh } = state.made!
    const from = formatRemote(input.remote)
    const inside = ssh ? '' : ' It has no SSH server, so containers of it are entered through DCM.'
    return ok(`${input.ref} is yours, ${formatSize(size)} from ${from}.${inside}${besides(state)}`, {
      fields: { image: input.ref, digest: state.digest!, size: formatSize(size), layers: String(layers) },
      data: { image: input.ref, from, digest: state.digest!, size, layers, ssh },
      actions: [{ label: 'Look at it', line: `image show ${input.ref}` }],
    })
  },
})
