import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatGrant, formatRestart, type Grant } from '../../core/model/grant.ts'
import { formatTime } from '../../core/model/time.ts'
import { ok } from '../../core/reply/reply.ts'

/** How the member uses what was granted. */
function use(grant: Grant): string {
  switch (grant.kind) {
    case 'restart':
      return `create ... --restart ${formatRestart(grant.restart)}`
    case 'restart-policy':
      return 'create ... --restart POLICY'
    case 'cap':
      return `create ... --cap-add ${grant.cap}`
    case 'port':
      return `create ... -p ${grant.port}:PORT`
    case 'public-ports':
      return 'port add ... --share public'
    case 'device':
      return `create ... --device ${grant.name}`
    case 'seccomp':
      return `create ... --seccomp ${grant.name}`
    case 'image':
      return `create ... --image ${grant.ref}`
    case 'quota':
      return 'at once'
  }
}

export const grant = defineCommand({
  name: 'grant',
  about: 'Permit a member something extra, for a while or until it is revoked.',
  examples: [
    'grant alice restart-policy',
    'grant alice cap:SYS_PTRACE --for 7d',
    'grant alice port:443',
    'grant alice quota:memory=8g',
  ],
  needs: 'admin',
  changes: 'rights',
  args: {
    member: { kind: 'person', about: 'Who may.' },
    thing: {
      kind: 'grant',
      about: 'What, such as restart-policy, cap:SYS_PTRACE, port:443, device:gpu or quota:memory=8g.',
    },
    for: { kind: 'duration', flag: true, optional: true, about: 'For how long; until revoked when absent.' },
  },
  gives: z.object({ member: z.string(), thing: z.string(), expires_at: z.string().nullable(), granted_by: z.string() }),
  async run({ member, thing, for: lives }, { caller, grants }) {
    const given = await grants.give(member, formatGrant(thing), thing, lives, caller.person)
    const until = given.expiresAt ? `until ${formatTime(given.expiresAt)}` : 'until it is revoked'
    return ok(`Granted ${given.thing} to ${member.name}, ${until}.`, {
      fields: {
        member: member.name,
        thing: given.thing,
        until: given.expiresAt ? formatTime(given.expiresAt) : 'it is revoked',
        'used by': use(given.grant),
      },
      actions: [{ label: 'Revoke', line: `revoke ${member.name} ${given.thing}` }],
      data: {
        member: member.name,
        thing: given.thing,
        expires_at: given.expiresAt?.toISOString() ?? null,
        granted_by: given.grantedBy,
      },
    })
  },
})
