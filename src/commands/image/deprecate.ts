import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const imageDeprecate = defineCommand({
  name: 'image deprecate',
  about: 'Tell members to use another offered image; what runs goes on.',
  examples: ['image deprecate debian --use slim', 'image deprecate debian --off'],
  needs: 'admin',
  changes: true,
  args: {
    image: { kind: 'offered-image', about: 'Image that is not to be used any more.' },
    use: { kind: 'offered-image', about: 'What to use from now on.', flag: true, optional: true },
    off: { kind: 'flag', about: 'It may be used again.', flag: true, optional: true },
  },
  gives: z.object({ image: z.string(), use: z.string().nullable(), used_by: z.array(z.string()) }),
  async run({ image, use, off }, { images }) {
    if ((use === undefined) === !off) throw new DcmError('usage', 'Say what to use from now on with --use, or --off.')
    if (use?.id === image.id) throw new DcmError('usage', `${image.ref} cannot take its own place; name another.`)
    const { users } = await images.deprecate(image, use ?? null)
    const data = { image: image.ref, use: use?.ref ?? null, used_by: users }
    if (!use) return ok(`${image.ref} is not deprecated any more.`, { data })
    const still =
      users.length === 0
        ? 'no container is made from it'
        : `${users.slice(0, 10).join(', ')}${users.length > 10 ? ` and ${users.length - 10} more` : ''} ${users.length === 1 ? 'is' : 'are'} still made from it`
    return ok(`${image.ref} is deprecated, and members are told to use ${use.ref}; ${still}.`, { data })
  },
})
