import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'
import { requestData, toRequestData } from './requests.ts'

export const approve = defineCommand({
  name: 'approve',
  about: 'Grant what somebody asked for.',
  examples: ['approve k3fz1m8q2x0b --for 4h'],
  needs: 'admin',
  changes: 'rights',
  args: {
    id: { kind: 'id', about: 'The request, as requests lists it.' },
    for: { kind: 'duration', flag: true, optional: true, about: 'For how long; as asked for when absent.' },
  },
  gives: requestData,
  async run({ id, for: lives }, { caller, requests }) {
    const done = await requests.approve(id, caller.by ?? caller.person, lives)
    return ok(`Approved: ${done.who} has ${done.thing}.`, { data: toRequestData(done) })
  },
})

export const deny = defineCommand({
  name: 'deny',
  about: 'Refuse what somebody asked for.',
  examples: ['deny k3fz1m8q2x0b'],
  needs: 'admin',
  changes: 'rights',
  args: { id: { kind: 'id', about: 'The request, as requests lists it.' } },
  gives: requestData,
  async run({ id }, { caller, requests }) {
    const done = await requests.deny(id, caller.by ?? caller.person)
    return ok(`Denied: ${done.who} does not get ${done.thing}.`, { data: toRequestData(done) })
  },
})
