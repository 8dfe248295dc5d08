import { checkDisk, lockMember, reserve } from '../core/containers/admit.ts'
import { freshUse } from '../core/containers/disk.ts'
import { engineRefOf } from '../core/containers/named.ts'
import { type Beside, besides, keepImage } from '../core/containers/ownimage.ts'
import { dropTag } from '../core/containers/tags.ts'
import type { Image } from '../core/model/image.ts'
import { defineOperation } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type State = Beside & {
  engineRef: string
  from: Pick<Image, 'ref' | 'engineId' | 'size' | 'layers' | 'ssh' | 'source' | 'about' | 'hostId'>
}

/** Gives an image a second name of its owner's, by which it stays when the first is removed. */
export const tagImage = defineOperation<'tag-image', State>({
  kind: 'tag-image',
  subject: (input) => `image:${input.imageId}`,
  doing: 'being given a name',
  before: freshUse,
  async admit(tx, input, id, works) {
    const member = await lockMember(tx, input.ownerId)
    const image = await tx.images.byId(input.imageId)
    if (image?.ownerId !== input.ownerId) throw new DcmError('not_found', 'That image is gone.', { try: 'images' })
    if (image.ref === input.ref)
      throw new DcmError('conflict', `${input.ref} is its name already; choose another.`, { try: 'images' })
    checkDisk(member)
    await reserve(tx, member, { images: (await tx.images.byRef(input.ownerId, input.ref)) ? 0 : 1 })
    const { ref, engineId, size, layers, ssh, source, about, hostId } = image
    return {
      engineRef: engineRefOf(works.place.instance, id),
      from: { ref, engineId, size, layers, ssh, source, about, hostId },
    }
  },
  steps: [
    {
      name: 'tag',
      do: (run) => run.host(run.state.from.hostId).engine.tag(run.state.from.engineId, run.state.engineRef),
      undo: (run) => run.host(run.state.from.hostId).engine.untag(run.state.engineRef),
    },
    {
      name: 'record',
      async do({ id, input, state, store, now }) {
        const { ref: _, ...facts } = state.from
        const mine = { id, ownerId: input.ownerId, ref: input.ref, now: now() }
        return store.tx((tx) => keepImage(tx, mine, { ...facts, engineRef: state.engineRef }))
      },
    },
    {
      name: 'drop the old',
      forward: true,
      async do(run) {
        if (run.state.replaced) await dropTag(run.host(run.state.from.hostId), run.state.replaced)
      },
    },
  ],
  reply: ({ input, state }) =>
    ok(`${state.from.ref} is called ${input.ref} too; either name can be removed without the other.${besides(state)}`, {
      data: { image: input.ref, from: state.from.ref },
    }),
})
