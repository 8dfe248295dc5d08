import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const imageTag = defineCommand({
  name: 'image tag',
  aliases: ['tag'],
  about: 'Give an image of your own another name; an image of yours by that name is replaced.',
  examples: ['image tag web:v1 web:stable'],
  needs: 'member',
  changes: true,
  begins: true,
  args: {
    image: { kind: 'own-image', about: 'Image of your own.' },
    name: { kind: 'image-ref', about: 'The other name.' },
  },
  gives: z.object({ image: z.string(), from: z.string() }),
  run: async ({ image, name }, { caller }) =>
    begin('tag-image', { imageId: image.id, ownerId: caller.person.id, ref: name }),
})
