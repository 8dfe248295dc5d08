import type { Context } from '../command/context.ts'
import type { Works } from '../operation/define.ts'
import type { Caller } from '../policy/can.ts'
import { mayUse } from './allow.ts'
import { readGrants } from './admit.ts'
import { dropTag } from './tags.ts'

/** What a caller sees of images. */
export function createImages(works: Works): (caller: Caller) => Context['images'] {
  const { store } = works
  return (caller) => ({
    async visible() {
      const grants = readGrants(await store.grants.of(caller.person.id))
      return (await store.images.visible(caller.person.id)).filter(
        (image) => caller.person.role === 'admin' || mayUse(image, caller.person.id, grants),
      )
    },
    /** Withdrawn first, then dropped: containers made from it go on, and nobody can create from it any more. */
    async withdraw(image) {
      await store.images.remove(image.id)
      await dropTag(works.host(image.hostId), image.engineRef)
    },
    usedBy: (image) => store.containers.usingImage(image.id),
  })
}
