import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok, warn } from '../../core/reply/reply.ts'

export const keyRm = defineCommand({
  name: 'key rm',
  aliases: ['key remove', 'key del'],
  about: 'Remove a public key: none of your containers takes it for a new login any more.',
  examples: ['key rm alice@laptop', 'key rm SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE'],
  needs: 'member',
  changes: 'rights',
  args: { key: { kind: 'text', about: 'Its id, fingerprint or comment, as key ls shows them.' } },
  gives: z.object({ id: z.string(), fingerprint: z.string(), left: z.number().int() }),
  async confirms({ key: which }, { caller, keys }) {
    const { fingerprint } = await keys.find(caller.person.id, which)
    return (await keys.list(caller.person.id)).length > 1
      ? undefined
      : `${fingerprint} is your last key: remove it, so that nobody gets into your containers until key add?`
  },
  async run({ key: which }, { caller, keys }) {
    const { id, fingerprint } = await keys.remove(caller.person.id, which)
    const left = (await keys.list(caller.person.id)).length
    const extras = { data: { id, fingerprint, left } }
    if (left > 0)
      return ok(
        `Removed the key ${fingerprint}; what was opened with it by DCM's door ends, and a login at a container's own port that is open stays open.`,
        extras,
      )
    return warn(
      `Removed the key ${fingerprint}, which was your last: nobody gets into your containers until key add.`,
      extras,
    )
  },
})
