import type { Intents } from '../command/intents.ts'
import type { SeenImage } from '../host/engine.ts'
import type { Host } from '../host/host.ts'
import type { Image } from '../model/image.ts'
import { DcmError } from '../reply/error.ts'
import type { Tables } from '../store/store.ts'
import { pickImage, usableImages } from './allow.ts'
import { basesOf, checkValues, readRecipe } from './recipe.ts'

type Input = Intents['build']

/** Whether COPY has something to read from. */
export const reads = ({ context, source }: Input): boolean => context !== null || source !== undefined

/** The images that FROM names, as this member may use them now. */
export async function findBases(tx: Tables, input: Input, dockerfile: string): Promise<Image[]> {
  const recipe = readRecipe(dockerfile, reads(input))
  checkValues(recipe, input.args)
  const images = await usableImages(tx, input.ownerId)
  return basesOf(recipe, input.args).map((ref) => {
    const image = pickImage(images, ref)
    if (!image) throw new DcmError('not_found', `You have no image called ${ref}.`, { try: 'images' })
    return image
  })
}

/** What each stage builds on. @throws DcmError `conflict` */
export async function basesIn(host: Host, bases: readonly string[]): Promise<SeenImage[]> {
  return Promise.all(
    bases.map(async (id) => {
      const base = await host.engine.image(id)
      if (!base) throw new DcmError('conflict', 'An image to build on is gone.', { try: 'images' })
      if ((await host.engine.inside(id)).triggers > 0)
        throw new DcmError('conflict', 'An image to build on has ONBUILD lines, which are not run here; use another.')
      return base
    }),
  )
}
