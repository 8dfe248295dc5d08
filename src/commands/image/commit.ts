import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'

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
  async run(args, { caller, images }) {
    const { container, image: ref, message } = args
    // A token for some containers replaces no image of another: what is made of that image next would be another thing.
    const old = caller.scope?.containers && (await images.visible()).find((one) => one.ownerId && one.ref === ref)
    if (old && old.source !== container.name)
      throw new DcmError('denied', `This token may not replace ${ref}, which was not saved from ${container.name}.`)
    const { id: containerId, ownerId } = container
    return begin('commit', { containerId, ownerId, ref, message, keepEnv: !args['no-env'] })
  },
})
