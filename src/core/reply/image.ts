import { z } from 'zod'
import type { Image } from '../model/image.ts'

/** Machine data of one image: what `images` lists, and what `image show` begins with. */
export const imageData = z.object({
  image: z.string(),
  whose: z.enum(['offered', 'yours']),
  size: z.number().int().describe('Bytes.'),
  layers: z.number().int(),
  ssh: z.boolean(),
  use_instead: z.string().nullable().describe('Of a deprecated one: what to use from now on.'),
  about: z.string(),
  source: z.string().nullable(),
  created_at: z.string(),
})

/** An image as machine data, for one who may use it: what is not offered is theirs. */
export const toData = (image: Image): z.infer<typeof imageData> => ({
  image: image.ref,
  whose: image.ownerId === null ? 'offered' : 'yours',
  size: image.size,
  layers: image.layers,
  ssh: image.ssh,
  use_instead: image.useInstead,
  about: image.about,
  source: image.source,
  created_at: image.createdAt.toISOString(),
})
