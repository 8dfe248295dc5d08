import { z } from 'zod'
import { placeAccount } from '../../core/command/account.ts'
import { defineCommand } from '../../core/command/define.ts'
import { formatVisitor } from '../../core/model/visitor.ts'
import { ok } from '../../core/reply/reply.ts'

export const userLink = defineCommand({
  name: 'user link',
  about: "Tie somebody's chat account to a member at once, without a code.",
  examples: ['user link ada slack:T1/U1'],
  needs: 'admin',
  changes: 'rights',
  args: {
    member: { kind: 'person', about: 'The member.' },
    account: { kind: 'account', about: 'Their account: in the chat a mention, elsewhere PLATFORM:WORKSPACE/USER.' },
  },
  gives: z.object({ member: z.string(), account: z.string() }),
  async run({ member, account }, { caller, links }) {
    const linked = formatVisitor(await links.link(member, placeAccount(account, caller.visitor)))
    return ok(`${linked} is ${member.name} now.`, {
      data: { member: member.name, account: linked },
      actions: [{ label: 'Unlink', line: `user unlink ${member.name} ${linked}` }],
    })
  },
})
