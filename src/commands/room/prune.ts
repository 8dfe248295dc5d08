import { z } from 'zod'
import type { Context } from '../../core/command/context.ts'
import { begin, defineCommand } from '../../core/command/define.ts'
import { formatSize } from '../../core/model/units.ts'
import { info } from '../../core/reply/reply.ts'

type Wish = { only: 'containers' | 'images' | undefined }

/** Stopped containers, and images that no container was made from: all the caller's own. */
async function unused({ only }: Wish, { room }: Context) {
  const found = await room.unused()
  return { containers: only === 'images' ? [] : found.containers, images: only === 'containers' ? [] : found.images }
}

export const prune = defineCommand({
  name: 'prune',
  about: 'Remove your stopped containers and your images that no container was made from.',
  examples: ['prune --dry-run', 'prune --only containers --yes'],
  needs: 'member',
  changes: true,
  begins: true,
  args: { only: { kind: 'choice', of: ['containers', 'images'], about: 'Only these.', flag: true, optional: true } },
  gives: z.object({ containers: z.array(z.string()), images: z.array(z.string()), kept: z.array(z.string()) }),
  confirms: ({ only }) =>
    `Remove the ${only ?? 'containers and images'} that the table lists, with all that is inside?`,
  async preview(args, context) {
    const { containers, images } = await unused(args, context)
    const size = [...containers, ...images].reduce((sum, one) => sum + one.size, 0)
    const data = { containers: containers.map((one) => one.name), images: images.map((one) => one.ref), kept: [] }
    if (containers.length + images.length === 0) return info('There is nothing to prune.', { data })
    return info(`This would be removed, which frees up to ${formatSize(size)}.`, {
      table: {
        head: ['WHAT', 'NAME', 'SIZE'],
        rows: [
          ...containers.map((one) => ['container', one.name, formatSize(one.size)]),
          ...images.map((one) => ['image', one.ref, formatSize(one.size)]),
        ],
      },
      data,
    })
  },
  async run(args, context) {
    const { containers, images } = await unused(args, context)
    return begin('prune', {
      ownerId: context.caller.person.id,
      containers: containers.map((one) => one.id),
      images: images.map((one) => one.id),
    })
  },
})
