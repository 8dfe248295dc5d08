import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { formatImageRef, parseImageRef } from '../../core/model/name.ts'
import type { Remote } from '../../core/model/registry.ts'
import { DcmError } from '../../core/reply/error.ts'

/** What an image is called here, where nothing else was said: as it is called there, without where that is. */
function ownName({ path, tag }: Remote): string {
  const ref = parseImageRef(`${path.slice(path.lastIndexOf('/') + 1)}:${tag ?? 'latest'}`)
  if (ref) return formatImageRef(ref)
  throw new DcmError('usage', 'That name would not do for an image of your own: give it one with --name.', {
    try: 'help pull',
  })
}

export const pull = defineCommand({
  name: 'pull',
  about: 'Bring an image from a registry that admins allow; it is your own then.',
  examples: ['pull debian:bookworm', 'pull registry.example.com/team/web:v1 --name web:v1'],
  needs: 'member',
  changes: true,
  begins: true,
  args: {
    image: { kind: 'remote', about: 'Image as its registry has it; without a registry it is one of docker.io.' },
    name: {
      kind: 'image-ref',
      about: 'What you call it; an image of yours by that name is replaced.',
      flag: true,
      optional: true,
    },
  },
  gives: z.object({
    image: z.string(),
    from: z.string(),
    digest: z.string(),
    size: z.number().int().describe('Bytes.'),
    layers: z.number().int(),
    ssh: z.boolean(),
  }),
  run: async ({ image, name }, { caller }) =>
    begin('pull', { ownerId: caller.person.id, remote: image, ref: name ?? ownName(image) }),
})
