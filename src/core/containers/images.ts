import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import { isFault } from '../host/fault.ts'
import { calledBy } from '../model/container.ts'
import type { Image } from '../model/image.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { mayName } from '../policy/can.ts'
import { visibleImages } from './allow.ts'
import { dropTag } from './tags.ts'

/** What a caller sees of images. */
export function createImages(works: Works): (caller: Caller) => Context['images'] {
  const { store } = works

  /** The one of the most layers that an image begins with; only images of the caller's are looked at, and so told. */
  async function baseOf(image: Image, chain: string[], among: Image[]): Promise<Image | null> {
    const fewer = among.filter((one) => one.hostId === image.hostId && one.layers > 0 && one.layers < image.layers)
    for (const one of fewer.toSorted((a, b) => b.layers - a.layers).slice(0, 40)) {
      const theirs = await works
        .host(one.hostId)
        .engine.inside(one.engineId)
        .catch((error: unknown) => {
          if (isFault(error, 'gone')) return undefined
          throw explain(error)
        })
      if (theirs?.chain.every((layer, at) => layer === chain[at])) return one
    }
    return null
  }

  return (caller) => {
    const visible = () => visibleImages(store, caller)
    return {
      visible,
      /** Withdrawn first, then dropped: containers made from it go on, and nobody can create from it any more. */
      async withdraw(image) {
        await store.images.remove(image.id)
        await dropTag(works.host(image.hostId), image.engineRef)
      },
      usedBy: (image) => store.containers.usingImage(image.id),
      async deprecate(image, use) {
        await store.images.update(image.id, { useInstead: use?.ref ?? null })
        const all = (await store.containers.all()).filter((one) => one.imageId === image.id)
        return { users: all.map((one) => `${one.owner}/${one.name}`) }
      },
      async look(image) {
        const { engine } = works.host(image.hostId)
        const inside = await engine.inside(image.engineId).catch((error: unknown) => Promise.reject(explain(error)))
        const all = await (mayName(caller) ? store.containers.all() : store.containers.of(caller.person.id))
        const used = all.filter((one) => one.imageId === image.id)
        const users = used.map(
          (one) => calledBy(caller.person.id, one) + (one.imageEngineId !== image.engineId ? ' (older)' : ''),
        )
        return { inside, base: await baseOf(image, inside.chain, await visible()), users }
      },
    }
  }
}
