import { z } from 'zod'
import { count } from '../../core/model/count.ts'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const imageWithdraw = defineCommand({
  name: 'image withdraw',
  about: 'No longer offer an image; containers made from it go on.',
  examples: ['image withdraw slim'],
  needs: 'admin',
  changes: true,
  args: { image: { kind: 'offered-image', about: 'Image that was offered.' } },
  gives: z.object({ image: z.string() }),
  confirms: ({ image }) => `Withdraw ${image.ref}, so that nobody can create from it any more?`,
  async run({ image }, { images }) {
    const users = await images.usedBy(image)
    await images.withdraw(image)
    return ok(
      `${image.ref} is no longer offered${users.length > 0 ? `; ${count(users.length, 'container')} made from it ${users.length === 1 ? 'goes' : 'go'} on` : ''}.`,
      { data: { image: image.ref } },
    )
  },
})
