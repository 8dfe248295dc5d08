import { engineRefOf } from '../core/containers/named.ts'
import { dropTag } from '../core/containers/tags.ts'
import { sshPaths } from '../core/host/engine.ts'
import { isFault } from '../core/host/fault.ts'
import type { Image } from '../core/model/image.ts'
import { formatSize } from '../core/model/units.ts'
import { defineOperation } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type State = {
  ref: string
  hostId: string
  engineRef: string
  made?: Pick<Image, 'engineId' | 'size' | 'layers' | 'ssh'>
  replaced?: string
  /** Containers that are still made from the one before. */
  users?: string[]
}

/** The name that it has while it is not what members get yet. */
const draft = (engineRef: string) => engineRef.replace(/:latest$/, ':draft')

/** Makes an offered image anew from its folder, from nothing; what was made from the one before goes on. */
export const rebuildImage = defineOperation<'rebuild-image', State>({
  kind: 'rebuild-image',
  subject: (input) => `image:${input.imageId}`,
  doing: 'being made anew',
  async admit(tx, input, id, works) {
    const image = await tx.images.byId(input.imageId)
    if (!image || image.ownerId !== null) throw new DcmError('not_found', 'That image is gone.', { try: 'images' })
    return { ref: image.ref, hostId: image.hostId, engineRef: engineRefOf(works.place.instance, id) }
  },
  steps: [
    {
      name: 'build',
      async do(run) {
        const { ref, hostId, engineRef } = run.state
        const name = ref.replace(/:latest$/, '')
        const folder = run.settings.recipes?.get(name)
        if (folder === undefined)
          throw new DcmError(
            'conflict',
            `${ref} was not made by DCM: pull or build it anew in Docker on the host, then offer it with image offer SOURCE --name ${name}.`,
          )
        const { engine } = run.host(hostId)
        await run.say('building')
        let told = 0
        const say = (line: string) => {
          const now = run.now().getTime()
          if (now - told < 1000) return
          told = now
          run.say(line.trim().slice(0, 200)).catch(() => undefined)
        }
        try {
          const seen = await engine.build(folder, draft(engineRef), say, { fresh: true })
          const { engineId, size, layers } = seen
          return { made: { engineId, size, layers, ssh: await engine.imageHas(engineId, sshPaths) } }
        } catch (error) {
          if (isFault(error, 'refused'))
            throw new DcmError('conflict', `${ref} stays as it is. ${error.message}`, { cause: error })
          throw error
        }
      },
      undo: (run) => run.host(run.state.hostId).engine.untag(draft(run.state.engineRef)),
    },
    {
      name: 'offer',
      async do(run) {
        const { engineRef, made, hostId } = run.state
        await run.host(hostId).engine.tag(made!.engineId, engineRef)
        const old = await run.store.images.byId(run.input.imageId)
        if (!old) throw new DcmError('not_found', 'That image is gone.', { try: 'images' })
        const used = (await run.store.containers.all()).filter((one) => one.imageId === old.id)
        const users = used.filter((one) => one.imageEngineId !== made!.engineId)
        // Last, for what fails before it is undone.
        await run.store.images.update(old.id, { ...made!, engineRef, createdAt: run.now() })
        return {
          users: users.map((one) => `${one.owner}/${one.name}`),
          ...(old.engineRef === engineRef ? {} : { replaced: old.engineRef }),
        }
      },
      undo: (run) => run.host(run.state.hostId).engine.untag(run.state.engineRef),
    },
    {
      name: 'drop the old',
      forward: true,
      async do(run) {
        const host = run.host(run.state.hostId)
        await host.engine.untag(draft(run.state.engineRef))
        if (run.state.replaced) await dropTag(host, run.state.replaced)
      },
    },
  ],
  reply({ state }) {
    const users = state.users ?? []
    const [some, more] = [users.slice(0, 10).join(', '), users.length > 10 ? ` and ${users.length - 10} more` : '']
    const still =
      users.length === 0
        ? 'no container is made from the one before'
        : `${some}${more} ${users.length === 1 ? 'is' : 'are'} made from the one before, until redeploy`
    const { size, layers } = state.made!
    return ok(`${state.ref} is made anew, ${formatSize(size)}; ${still}.`, {
      data: { image: state.ref, size, layers, used_by: users },
    })
  },
})
