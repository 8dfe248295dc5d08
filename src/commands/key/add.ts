import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const keyAdd = defineCommand({
  name: 'key add',
  about: 'Add a public key: it opens all of your containers at once, and DCM over SSH.',
  examples: ['key add ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI... alice@laptop', 'key add @~/.ssh/id_ed25519.pub'],
  needs: 'member',
  changes: 'rights',
  args: { key: { kind: 'line', secret: true, about: 'The line in a file that ends in .pub; the client reads @FILE.' } },
  gives: z.object({ id: z.string(), type: z.string(), fingerprint: z.string(), comment: z.string() }),
  async run({ key: text }, { caller, keys }) {
    const { id, type, fingerprint, comment } = await keys.add(caller.person.id, text)
    return ok(`The key ${fingerprint} opens your containers now.`, {
      fields: { id, type, fingerprint, ...(comment ? { comment } : {}) },
      data: { id, type, fingerprint, comment },
    })
  },
})
