import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatVisitor } from '../../core/model/visitor.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const userUnlink = defineCommand({
  name: 'user unlink',
  about: "Untie a member's chat accounts at once: all of them, or one.",
  examples: ['user unlink ada', 'user unlink ada slack:T1/U1'],
  needs: 'admin',
  changes: 'rights',
  args: {
    member: { kind: 'person', about: 'The member.' },
    account: { kind: 'account', optional: true, about: 'Which; all when absent.' },
  },
  gives: z.object({ member: z.string(), accounts: z.array(z.string()) }),
  async run({ member, account }, { links }) {
    const theirs = (await links.list(member)).filter(
      (one) => !account || (one.user === account.user && (account.scope === null || one.scope === account.scope)),
    )
    if (theirs.length === 0)
      throw new DcmError('not_found', `${member.name} has no such chat account.`, { try: `user show ${member.name}` })
    for (const one of theirs) await links.unlink(one)
    const accounts = theirs.map(formatVisitor)
    return ok(`${member.name} is not ${accounts.join(', ')} any more.`, { data: { member: member.name, accounts } })
  },
})
