import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { formatDuration, formatSize } from '../../core/model/units.ts'
import { imageData, toData } from '../../core/reply/image.ts'
import { info } from '../../core/reply/reply.ts'

export const images = defineCommand({
  name: 'images',
  aliases: ['image ls'],
  about: 'List the images you can create containers from.',
  examples: ['images'],
  needs: 'member',
  changes: false,
  args: {},
  gives: z.array(imageData.extend({ restricted: z.boolean() })),
  async run(_, { images: port, now }) {
    const visible = await port.visible()
    const data = visible.map((image) => ({ ...toData(image), restricted: image.restricted }))
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
