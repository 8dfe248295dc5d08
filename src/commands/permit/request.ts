import { defineCommand } from '../../core/command/define.ts'
import { formatGrant } from '../../core/model/grant.ts'
import { ok } from '../../core/reply/reply.ts'
import { requestData, toRequestData } from './requests.ts'

export const request = defineCommand({
  name: 'request',
  about: 'Ask the admins for something that they can grant.',
  examples: ['request port:443 --for 4h --why "demo on Friday"', 'request quota:memory=8g'],
  needs: 'member',
  changes: true,
  args: {
    thing: { kind: 'grant', about: 'What: as grant takes it.' },
    for: { kind: 'duration', flag: true, optional: true, about: 'For how long.' },
    why: { kind: 'prose', flag: true, optional: true, about: 'What the admins should know.' },
  },
  gives: requestData,
  async run({ thing, for: lives, why }, { caller, requests }) {
    const made = await requests.ask(caller.person, formatGrant(thing), lives, why ?? '')
    const heard = made.told ? 'the admins have it' : 'no admin is in a chat, so tell one yourself'
    return ok(`Your request ${made.id} for ${made.thing} is stored; ${heard}.`, { data: toRequestData(made) })
  },
})
