import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatGrant } from '../../core/model/grant.ts'
import { ok } from '../../core/reply/reply.ts'

export const revoke = defineCommand({
  name: 'revoke',
  aliases: ['ungrant'],
  about: 'Take a grant back; what runs with it goes on and cannot be started again, and public ports are closed.',
  examples: ['revoke alice cap:SYS_PTRACE'],
  needs: 'admin',
  changes: 'rights',
  args: {
    member: { kind: 'person', about: 'From whom.' },
    thing: { kind: 'grant', about: 'What, as grants shows it.' },
  },
  gives: z.object({ member: z.string(), thing: z.string() }),
  async run({ member, thing }, { grants }) {
    const taken = await grants.revoke(member, formatGrant(thing))
    const ends = thing.kind === 'public-ports' ? '; what they have public by it is closed within seconds' : ''
    return ok(`Revoked ${taken.thing} from ${member.name}${ends}.`, {
      data: { member: member.name, thing: taken.thing },
    })
  },
})
