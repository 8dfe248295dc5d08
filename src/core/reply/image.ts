import { z } from 'zod'
import type { Image } from '../model/image.ts'
import { plain } from './text.ts'

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

const quoted = (word: string) => (/^[\w/.@:=+,%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/**
 * Says that what an image was made to run does not run by itself, and that `line`, with that behind it, runs it; empty
 * where it was made to run nothing. It stands behind a sentence.
 */
export function notByItself(ref: string, argv: readonly string[], line: string): string {
  if (argv.length === 0) return ''
  const whole = `${line} -- ${argv.map(quoted).join(' ')}`
  const how = whole.length <= 400 && plain(whole) === whole ? `${whole} does that` : `${line} -- COMMAND does that`
  return ` What ${ref} was made to run does not run by itself: ${how}.`
}

/** A line that creates from an image, by a name like its own. */
export const createLine = (ref: string): string =>
  `create ${ref
    .replace(/:[^/:]*$/, '')
    .replace(/^.*\//, '')
    .replace(/[^a-z0-9-]/g, '-')} --image ${ref}`
