import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { ok } from '../../core/reply/reply.ts'

const gives = z.object({ group: z.string(), thing: z.string(), expires_at: z.string().nullable() })

export const groupGrant = defineCommand({
  name: 'group grant',
  about: 'Permit every member of a group something extra, for a while or until it is revoked.',
  examples: ['group grant lab restart-policy', 'group grant lab image:cuda --for 30d'],
  needs: 'admin',
  changes: 'rights',
  args: {
    group: { kind: 'group', about: 'The group.' },
    thing: { kind: 'grant', about: 'What, as for grant.' },
    for: { kind: 'duration', flag: true, optional: true, about: 'For how long; until revoked when absent.' },
  },
  gives,
  async run({ group, thing, for: lives }, { caller, groups }) {
    const given = await groups.give(group, thing, lives, caller.person)
    const until = given.expiresAt ? `until ${formatTime(given.expiresAt)}` : 'until it is revoked'
    return ok(`Granted ${given.thing} to every member of ${group.name}, ${until}.`, {
      actions: [{ label: 'Revoke', line: `group revoke ${group.name} ${given.thing}` }],
      data: { group: group.name, thing: given.thing, expires_at: given.expiresAt?.toISOString() ?? null },
    })
  },
})

export const groupRevoke = defineCommand({
  name: 'group revoke',
  about: 'Take a grant back from a group; who has it by another way keeps it.',
  examples: ['group revoke lab restart-policy'],
  needs: 'admin',
  changes: 'rights',
  args: {
    group: { kind: 'group', about: 'The group.' },
    thing: { kind: 'grant', about: 'What, as group show lists it.' },
  },
  gives,
  async run({ group, thing }, { groups }) {
    const taken = await groups.revoke(group, thing)
    return ok(`Revoked ${taken.thing} from ${group.name}.`, {
      data: { group: group.name, thing: taken.thing, expires_at: taken.expiresAt?.toISOString() ?? null },
    })
  },
})
