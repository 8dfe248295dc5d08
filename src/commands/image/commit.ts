import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const commit = defineCommand({
  name: 'commit',
  aliases: ['snapshot'],
  about: 'Save a container as an image of your own.',
  examples: ['commit web web:v1', 'commit web web:v1 -m "with nginx" --no-env'],
  needs: 'own',
  changes: true,
  begins: true,
  args: {
    container: { kind: 'container', about: 'Container to save.' },
    image: { kind: 'image-ref', about: 'Name and tag of the image; an image of yours by that name is replaced.' },
    message: { kind: 'prose', about: 'A note on what is in it.', flag: true, short: 'm', default: '' },
    'no-env': { kind: 'flag', about: 'Leave the values of -e variables out of the image.', flag: true, optional: true },
  },
  gives: z.object({
    image: z.string(),
    size: z.number().int().describe('Bytes.'),
    layers: z.number().int(),
    kept_env: z.array(z.string()),
  }),
  run: async (args) =>
    begin('commit', {
      containerId: args.container.id,
      ownerId: args.container.ownerId,
      ref: args.image,
      message: args.message,
      keepEnv: !args['no-env'],
    }),
})
