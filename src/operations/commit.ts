import { checkDisk, lockMember, reserve } from '../core/containers/admit.ts'
import { present } from '../core/containers/change.ts'
import { freshUse } from '../core/containers/disk.ts'
import { engineRefOf } from '../core/containers/named.ts'
import { type Beside, besides, keepImage } from '../core/containers/ownimage.ts'
import { dropTag } from '../core/containers/tags.ts'
import { formatSize } from '../core/model/units.ts'
import { defineOperation } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type State = Beside & {
  name: string
  engineRef: string
  made?: { engineId: string; size: number; layers: number }
  kept: string[]
}

/** Names of variables given by `-e`: what stays in the image unless `--no-env` blanks it. */
const names = (env: readonly string[]) => env.map((pair) => pair.slice(0, pair.indexOf('=')))

/** Saves a container as an image of its owner's. The tag moves only when the new image is there. */
export const commit = defineOperation<'commit', State>({
  kind: 'commit',
  subject: (input) => `container:${input.containerId}`,
  doing: 'being saved as an image',
  before: freshUse,
  async admit(tx, input, id, works) {
    const container = await present(tx, input.containerId)
    if (!container.engineId)
      throw new DcmError('conflict', `${container.name} is gone from Docker, so there is nothing to save.`)
    const member = await lockMember(tx, input.ownerId)
    checkDisk(member)
    const old = await tx.images.byRef(input.ownerId, input.ref)
    await reserve(tx, member, { images: old ? 0 : 1 })
    return {
      name: container.name,
      engineRef: engineRefOf(works.place.instance, id),
      kept: input.keepEnv ? names(container.spec.env) : [],
    }
  },
  steps: [
    {
      name: 'commit',
      async do(run) {
        const container = await present(run.store, run.input.containerId)
        const { engine } = run.host(container.hostId)
        const already = await engine.image(run.state.engineRef)
        await run.say('saving')
        const seen =
          already ??
          (await engine.commit(container.engineId!, {
            ref: run.state.engineRef,
            message: run.input.message,
            author: container.owner,
            blankEnv: run.input.keepEnv ? [] : names(container.spec.env),
          }))
        return { made: { engineId: seen.engineId, size: seen.size, layers: seen.layers } }
      },
      undo: (run) => run.host(run.settings.hostId).engine.untag(run.state.engineRef),
    },
    {
      name: 'record',
      async do(run) {
        const { made, engineRef } = run.state
        const { id, input } = run
        return run.store.tx(async (tx) => {
          const container = await present(tx, input.containerId)
          const about = { source: container.name, about: input.message, ssh: container.ssh, hostId: container.hostId }
          const mine = { id, ownerId: input.ownerId, ref: input.ref, now: run.now() }
          return keepImage(tx, mine, { ...made!, engineRef, ...about })
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
    const env =
      state.kept.length > 0 ? ` It keeps the values of ${state.kept.join(', ')}; use --no-env to leave them out.` : ''
    return ok(
      `Saved ${state.name} as ${input.ref}, ${formatSize(state.made!.size)}. /storage is not in it.${env}${besides(state)}`,
      {
        fields: { image: input.ref, size: formatSize(state.made!.size), layers: String(state.made!.layers) },
        data: { image: input.ref, size: state.made!.size, layers: state.made!.layers, kept_env: state.kept },
        actions: [{ label: 'Create from it', line: `create ${state.name}-copy --image ${input.ref}` }],
      },
    )
  },
})
