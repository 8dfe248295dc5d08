import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatVisitor } from '../../core/model/visitor.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const unlink = defineCommand({
  name: 'unlink',
  about: 'Untie a chat account from yours; in that chat DCM no longer knows you.',
  examples: ['unlink', 'unlink slack:T1/U1'],
  needs: 'member',
  changes: 'rights',
  private: true,
  args: {
    account: {
      kind: 'account',
      optional: true,
      about: 'Which, as whoami shows it; the one you type it from when absent.',
    },
  },
  gives: z.object({ account: z.string() }),
  async run({ account }, { caller, links }) {
    const mine = await links.list(caller.person)
    const names = mine.map(formatVisitor)
    const here = caller.visitor && !caller.by ? formatVisitor(caller.visitor) : undefined
    const wish = account
      ? mine.find(
          (one) =>
            one.user === account.user &&
            (account.scope === null || (one.scope === account.scope && one.platform === account.platform)),
        )
      : undefined
    const found = account
      ? wish
      : (mine.find((one) => formatVisitor(one) === here) ?? (mine.length === 1 ? mine[0] : undefined))
    if (!found) {
      const have = names.length > 0 ? `you have ${names.join(', ')}` : 'you have none'
      throw new DcmError(
        'not_found',
        account ? `That is no chat account of yours; ${have}.` : `Say which chat account; ${have}.`,
        { try: 'whoami' },
      )
    }
    await links.unlink(found)
    return ok(`The account ${formatVisitor(found)} is not yours any more.`, { data: { account: formatVisitor(found) } })
  },
})
