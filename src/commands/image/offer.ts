import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const imageOffer = defineCommand({
  name: 'image offer',
  about: 'Offer an image of the engine to the members.',
  examples: ['image offer debian:bookworm-slim --name slim --about "A bare Debian."'],
  needs: 'admin',
  changes: true,
  begins: true,
  args: {
    source: { kind: 'engine-ref', about: 'Image as Docker on the host knows it.' },
    name: { kind: 'image-ref', about: 'What the members call it.', flag: true },
    about: { kind: 'prose', about: 'One sentence on what is in it.', flag: true, default: '' },
    restricted: { kind: 'flag', about: 'Only for members with the grant image:NAME.', flag: true, optional: true },
  },
  gives: z.object({ image: z.string() }),
  run: async ({ source, name, about, restricted }) =>
    begin('offer-image', { source, ref: name, about, restricted: restricted ?? false }),
})
