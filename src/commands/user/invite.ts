import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { ok, warn } from '../../core/reply/reply.ts'

export const userInvite = defineCommand({
  name: 'user invite',
  aliases: ['invite'],
  about: 'Make a code with which a member enrols the key they come with, once; adds the member if there is none.',
  examples: ['user invite alice', 'user invite alice --for 12h'],
  needs: 'admin',
  changes: 'rights',
  records: true,
  private: true,
  args: {
    name: { kind: 'person-name', about: 'Who is invited.' },
    for: { kind: 'duration', flag: true, default: '2d', about: 'How long the code is good, at most 14d.' },
  },
  gives: z.object({
    name: z.string(),
    code: z.string(),
    ssh: z.string().nullable(),
    expires_at: z.string(),
    added: z.boolean(),
  }),
  async run({ name, for: lives }, { invites, place }) {
    const { code, expiresAt, added } = await invites.add(name, lives)
    const line = place.ssh ? `ssh -p ${place.ssh.port} invite:${code}@${place.publicHost}` : null
    const extras = {
      fields: {
        member: name,
        until: formatTime(expiresAt),
        ...(place.ssh ? { 'host key': place.ssh.fingerprint } : {}),
      },
      code: line ?? code,
      data: { name, code, ssh: line, expires_at: expiresAt.toISOString(), added },
    }
    if (!line) return warn('The SSH door is off here, so nobody can use this code yet; set DCM_SSH_ADDR.', extras)
    return ok(
      `Send this line to ${name}${added ? ', who is a member now' : ''}: it works once, enrols their key and logs them in; earlier codes of theirs are void.`,
      extras,
    )
  },
})
