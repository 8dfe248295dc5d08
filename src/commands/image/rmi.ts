import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const rmi = defineCommand({
  name: 'rmi',
  about: 'Remove images of your own.',
  examples: ['rmi web:v1'],
  needs: 'member',
  changes: true,
  begins: true,
  args: {
    image: { kind: 'own-image', about: 'Images to remove.', each: true },
    force: { kind: 'flag', about: 'Do not ask.', flag: true, short: 'f', optional: true },
  },
  gives: z.object({ image: z.string() }),
  confirms: ({ image, force }) => (force ? undefined : `Remove the image ${image.ref}?`),
  run: async ({ image }) => begin('remove-image', { imageId: image.id }),
})
