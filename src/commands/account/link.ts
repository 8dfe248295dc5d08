import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { formatVisitor } from '../../core/model/visitor.ts'
import { DcmError } from '../../core/reply/error.ts'
import { info, ok } from '../../core/reply/reply.ts'

export const link = defineCommand({
  name: 'link',
  about: 'Tie a chat account to yours: in the chat it shows a code, elsewhere it takes that code.',
  examples: ['link', 'link 7k2m-9f3q-x0ab-11cd-p5rt'],
  needs: 'anyone',
  changes: 'rights',
  strangers: true,
  private: true,
  args: {
    code: {
      kind: 'text',
      optional: true,
      secret: true,
      about: 'The code that link showed in the chat; typed where you are signed in.',
    },
  },
  gives: z.object({
    account: z.string(),
    member: z.string().nullable(),
    code: z.string().nullable(),
    expires_at: z.string().nullable(),
  }),
  async run({ code }, { caller, links }) {
    const { visitor } = caller
    // Who calls from a chat need not be a member, whatever the type of a caller says.
    const person = caller.person as typeof caller.person | null
    if (code !== undefined) {
      // A code proves nothing on the side that made it, nor on another chat: it is confirmed where the member has signed in.
      if (visitor)
        throw new DcmError(
          'denied',
          'A code is not typed in a chat: type link CODE where you are signed in, over ssh, with the dcm command or through the API.',
        )
      if (!person) throw new DcmError('unlinked', 'Sign in first, then type link CODE.')
      const linked = await links.confirm(person, code, person.id)
      const account = formatVisitor(linked)
      return ok(
        `The account ${account}${linked.label ? ` (${linked.label})` : ''} is yours now; if it is not, type unlink ${account}.`,
        {
          data: { account, member: person.name, code: null, expires_at: null },
          actions: [{ label: 'Unlink', line: `unlink ${account}` }],
        },
      )
    }
    if (!visitor)
      throw new DcmError(
        'usage',
        'Type link in your chat first; it shows a code, and link CODE here ties that account to yours.',
      )
    const account = formatVisitor(visitor)
    if (person)
      return info(`This account is linked: you are ${person.name}.`, {
        data: { account, member: person.name, code: null, expires_at: null },
      })
    if (links.signup(visitor) === 'open') {
      const made = await links.join(visitor)
      return ok(`You are a member now, called ${made.name}; add your SSH key, then create a container.`, {
        actions: [{ label: 'What can I do?', line: 'help' }],
        data: { account, member: made.name, code: null, expires_at: null },
      })
    }
    const made = await links.code(visitor)
    return info(
      'Type this where you are signed in, over ssh or with the dcm command; it ties this account to yours and works once.',
      {
        code: `dcm link ${made.code}`,
        fields: { code: made.code, until: formatTime(made.expiresAt) },
        ...(links.signup(visitor) === 'request' ? { actions: [{ label: 'I am no member yet', line: 'join' }] } : {}),
        data: { account, member: null, code: made.code, expires_at: made.expiresAt.toISOString() },
      },
    )
  },
})
