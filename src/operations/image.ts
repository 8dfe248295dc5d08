import { engineRefOf } from '../core/containers/named.ts'
import { forgetImage } from '../core/containers/ownimage.ts'
import { dropTag } from '../core/containers/tags.ts'
import { sshPaths } from '../core/host/engine.ts'
import { isFault } from '../core/host/fault.ts'
import { defineOperation } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type Removing = { ref: string; engineRef: string }

/** Removes an image: this owner's tag alone, so that what others made of it stays. */
export const removeImage = defineOperation<'remove-image', Removing>({
  kind: 'remove-image',
  subject: (input) => `image:${input.imageId}`,
  doing: 'being removed',
  async admit(tx, input) {
    const image = await tx.images.byId(input.imageId)
    if (!image) throw new DcmError('not_found', 'That image is gone.', { try: 'images' })
    const users = await tx.containers.usingImage(image.id)
    if (users.length > 0)
      throw new DcmError('conflict', `${image.ref} is used by ${users.join(', ')}; remove those first.`, { try: 'ps' })
    return { ref: image.ref, engineRef: image.engineRef }
  },
  steps: [
    {
      name: 'remove',
      async do(run) {
        try {
          await run.host(run.settings.hostId).engine.untag(run.state.engineRef)
        } catch (cause) {
          if (!isFault(cause, 'taken')) throw cause
          throw new DcmError('conflict', `A container still needs ${run.state.ref}; remove that first.`, {
            cause,
            try: 'ps',
          })
        }
        const { ref, engineRef } = run.state
        if (!(await run.store.tx((tx) => forgetImage(tx, run.input.imageId, engineRef))))
          throw new DcmError('conflict', `${ref} was replaced while it was being removed; the new one is kept.`, {
            try: `rmi ${ref}`,
          })
      },
    },
  ],
  reply: ({ state }) => ok(`${state.ref} is removed.`, { data: { image: state.ref } }),
})

type Offering = { engineRef: string; replaced?: string; size?: number }

/** Offers an image that the engine has to every member, or to those with a grant. */
export const offerImage = defineOperation<'offer-image', Offering>({
  kind: 'offer-image',
  subject: (input) => `offer:${input.ref}`,
  doing: 'being offered',
  admit: async (_, __, id, works) => ({ engineRef: engineRefOf(works.place.instance, id) }),
  steps: [
    {
      name: 'offer',
      async do(run) {
        const { engine } = run.host(run.settings.hostId)
        const seen = await engine.image(run.input.source)
        if (!seen)
          throw new DcmError(
            'not_found',
            `Docker on this host has no image ${run.input.source}; pull or build it there first.`,
          )
        await run.say('looking inside')
        const ssh = await engine.imageHas(seen.engineId, sshPaths)
        await engine.tag(seen.engineId, run.state.engineRef)
        const replaced = await run.store.tx(async (tx) => {
          const old = await tx.images.byRef(null, run.input.ref)
          const facts = {
            engineId: seen.engineId,
            engineRef: run.state.engineRef,
            size: seen.size,
            layers: seen.layers,
            ssh,
            restricted: run.input.restricted,
            useInstead: null,
            about: run.input.about,
            hostId: run.settings.hostId,
          }
          if (old) await tx.images.update(old.id, { ...facts, createdAt: run.now() })
          else await tx.images.insert({ id: run.id, ownerId: null, ref: run.input.ref, ...facts })
          return old && old.engineRef !== run.state.engineRef ? old.engineRef : undefined
        })
        return { size: seen.size, ...(replaced ? { replaced } : {}) }
      },
      undo: (run) => run.host(run.settings.hostId).engine.untag(run.state.engineRef),
    },
    {
      name: 'drop the old',
      forward: true,
      async do(run) {
        if (run.state.replaced) await dropTag(run.host(run.settings.hostId), run.state.replaced)
      },
    },
  ],
  reply: ({ input }) =>
    ok(
      `${input.ref} is offered${input.restricted ? ` to members with the grant image:${input.ref}` : ' to every member'}.`,
      { data: { image: input.ref } },
    ),
})
