import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { formatDuration, formatSize } from '../../core/model/units.ts'
import { info } from '../../core/reply/reply.ts'

export const images = defineCommand({
  name: 'images',
  aliases: ['image ls'],
  about: 'List the images you can create containers from.',
  examples: ['images'],
  needs: 'member',
  changes: false,
  args: {},
  gives: z.array(
    z.object({
      image: z.string(),
      whose: z.enum(['offered', 'yours']),
      size: z.number().int().describe('Bytes.'),
      layers: z.number().int(),
      ssh: z.boolean(),
      restricted: z.boolean(),
      use_instead: z.string().nullable().describe('Of a deprecated one: what to use from now on.'),
      about: z.string(),
      source: z.string().nullable(),
      created_at: z.string(),
    }),
  ),
  async run(_, { images: port, now }) {
    const visible = await port.visible()
    const data = visible.map((image) => ({
      image: image.ref,
      whose: image.ownerId === null ? ('offered' as const) : ('yours' as const),
      size: image.size,
      layers: image.layers,
      ssh: image.ssh,
      restricted: image.restricted,
      use_instead: image.useInstead,
      about: image.about,
      source: image.source,
      created_at: image.createdAt.toISOString(),
    }))
    if (visible.length === 0) return info('There are no images yet; an admin offers one with image offer.', { data })
    return info(`${thereAre(visible.length, 'image')} you can create from.`, {
      table: {
        head: ['IMAGE', 'WHOSE', 'SIZE', 'CREATED', 'ABOUT'],
        rows: visible.map((image) => [
          image.ref,
          image.ownerId !== null ? 'yours' : image.restricted ? 'offered (granted)' : 'offered',
          formatSize(image.size),
          `${formatDuration(now.getTime() - image.createdAt.getTime())} ago`,
          (image.useInstead ? `deprecated, use ${image.useInstead}. ` : '') +
            (image.about || (image.source ? `saved from ${image.source}` : '')),
        ]),
      },
      data,
    })
  },
})
