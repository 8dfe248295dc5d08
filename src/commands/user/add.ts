import { z } from 'zod'
import { placeAccount } from '../../core/command/account.ts'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatVisitor } from '../../core/model/visitor.ts'
import { ok, warn } from '../../core/reply/reply.ts'

export const userAdd = defineCommand({
  name: 'user add',
  about: 'Add a member, with the public keys that open their containers.',
  examples: [
    'user add alice --key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI... alice@laptop"',
    'user add bob --admin',
    'user add carol slack:T1/U1',
  ],
  needs: 'admin',
  changes: 'rights',
  args: {
    name: { kind: 'person-name', about: 'What the member is called: 2 to 31 of a-z, 0-9 and "-".' },
    account: {
      kind: 'account',
      optional: true,
      about: 'Their chat account, theirs at once: a mention, or PLATFORM:WORKSPACE/USER.',
    },
    key: {
      kind: 'line',
      flag: true,
      many: true,
      optional: true,
      secret: true,
      about: 'An OpenSSH public key, in quotes; may be given several times.',
    },
    admin: { kind: 'flag', optional: true, about: 'Make them an admin.' },
  },
  gives: z.object({
    name: z.string(),
    role: z.enum(['member', 'admin']),
    keys: z.array(z.object({ id: z.string(), type: z.string(), fingerprint: z.string(), comment: z.string() })),
  }),
  async run({ name, account, key, admin }, { caller, people }) {
    const visitor = account && placeAccount(account, caller.visitor)
    const { person, keys } = await people.add({
      name,
      role: admin ? 'admin' : 'member',
      keys: key,
      ...(visitor ? { visitor } : {}),
    })
    const said = `Added ${person.name}${person.role === 'admin' ? ' as an admin' : ''}${visitor ? `, who is ${formatVisitor(visitor)}` : ''}`
    const extras = {
      fields: {
        name: person.name,
        role: person.role,
        keys: keys.map((one) => one.fingerprint).join(', ') || 'none yet',
      },
      data: {
        name: person.name,
        role: person.role,
        keys: keys.map(({ id, type, fingerprint, comment }) => ({ id, type, fingerprint, comment })),
      },
    }
    if (keys.length > 0) return ok(`${said} with ${count(keys.length, 'key')}.`, extras)
    return warn(`${said}, who has no key yet: add one with key add KEY --as ${person.name}.`, extras)
  },
})
