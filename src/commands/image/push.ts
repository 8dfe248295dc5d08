import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'

export const push = defineCommand({
  name: 'push',
  about: 'Send an image of your own to a registry that admins allow, with your own login there.',
  examples: ['push web:v1 registry.example.com/alice/web:v1'],
  needs: 'member',
  changes: true,
  begins: true,
  args: {
    image: { kind: 'own-image', about: 'Image of your own.' },
    to: { kind: 'remote', about: 'What it is to be called there, with the registry in front.' },
  },
  gives: z.object({ image: z.string(), to: z.string() }),
  confirms: ({ image, to }) =>
    to.registry === 'docker.io'
      ? `Send ${image.ref} with all that is in it to docker.io, where everybody may be able to read it?`
      : undefined,
  async run({ image, to }, { caller }) {
    const { tag } = to
    if (tag === null) throw new DcmError('usage', 'What is pushed gets a tag, like :v1, and its digest by itself.')
    return begin('push', { ownerId: caller.person.id, imageId: image.id, remote: { ...to, tag, digest: null } })
  },
})
