import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { calledBy } from '../../core/model/container.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const unshare = defineCommand({
  name: 'unshare',
  about: 'End what you share with a member, or what is shared with you.',
  examples: ['unshare web bob', 'unshare alice/web'],
  needs: 'look',
  changes: 'rights',
  args: {
    container: { kind: 'container', about: 'Container that was shared.' },
    member: { kind: 'person-name', about: 'With whom; yourself when absent.', optional: true },
  },
  gives: z.object({ container: z.string(), owner: z.string(), member: z.string() }),
  async run({ container, member }, { shares, caller }) {
    const { person } = caller
    const name = calledBy(person.id, container)
    const guest = container.ownerId !== person.id && container.shares.some((share) => share.guestId === person.id)
    if (guest && member !== undefined && member !== person.name)
      throw new DcmError('denied', `Only ${container.owner} can end what is shared with ${member}.`, {
        try: `unshare ${name}`,
      })
    if (!guest && member === undefined)
      throw new DcmError('usage', `Say with whom ${name} is not shared any more.`, { try: 'shares' })
    const who = member ?? person.name
    await shares.remove(container, who)
    return ok(`${name} is no longer shared with ${who}; a login at its own port that is open stays open.`, {
      data: { container: container.name, owner: container.owner, member: who },
    })
  },
})
