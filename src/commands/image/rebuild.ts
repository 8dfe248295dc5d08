import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const imageRebuild = defineCommand({
  name: 'image rebuild',
  about: 'Make an offered image of DCM anew, with what its packages are today.',
  examples: ['image rebuild debian'],
  needs: 'admin',
  changes: true,
  begins: true,
  args: { image: { kind: 'offered-image', about: 'Image that DCM makes itself.' } },
  gives: z.object({
    image: z.string(),
    size: z.number().int().describe('Bytes.'),
    layers: z.number().int(),
    used_by: z.array(z.string()).describe('Containers that are made from the one before.'),
  }),
  run: async ({ image }) => begin('rebuild-image', { imageId: image.id }),
})
