import { defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'
import { info } from '../../core/reply/reply.ts'
import { requestData, toRequestData } from '../permit/requests.ts'

export const join = defineCommand({
  name: 'join',
  about: 'Ask the admins, from a chat, to become a member.',
  examples: ['join', 'join "I am in the lab course"'],
  needs: 'anyone',
  changes: true,
  strangers: true,
  private: true,
  args: { why: { kind: 'prose', optional: true, about: 'What the admins should know.' } },
  gives: requestData,
  async run({ why }, { caller, links, requests }) {
    const { visitor } = caller
    if (!visitor) throw new DcmError('usage', 'join is for somebody in a chat whom DCM does not know yet.')
    if (caller.person as typeof caller.person | null)
      throw new DcmError('conflict', `You are a member already: ${caller.person.name}.`, { try: 'whoami' })
    const how = links.signup(visitor)
    if (how === 'open') throw new DcmError('usage', 'Everyone here may become a member: type link.', { try: 'link' })
    if (how === 'off')
      throw new DcmError('denied', 'Members are added by an admin here; ask one, or type link if you are one.', {
        try: 'link',
      })
    const made = await requests.join(visitor, why ?? '')
    return info(
      made.told
        ? 'The admins have your request; you hear here how they decide.'
        : 'Your request is stored; no admin is in this chat, so tell one yourself.',
      { data: toRequestData(made) },
    )
  },
})
