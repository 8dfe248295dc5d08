import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatVisitor } from '../../core/model/visitor.ts'
import { info } from '../../core/reply/reply.ts'

export const whoami = defineCommand({
  name: 'whoami',
  about: 'Say who DCM takes you for, and what you signed in with.',
  examples: ['whoami'],
  needs: 'member',
  changes: false,
  args: {},
  gives: z.object({
    name: z.string(),
    role: z.enum(['member', 'admin']),
    state: z.string(),
    surface: z.string(),
    by: z.string().nullable().describe('The admin who acts for this member.'),
    fingerprint: z.string().nullable(),
    token: z.string().nullable().describe('Label of the token that was shown.'),
    groups: z.array(z.string()),
    scope: z
      .object({ commands: z.array(z.string()).nullable(), containers: z.array(z.string()).nullable() })
      .nullable(),
  }),
  async run(_args, { caller, groups, links, tokens }) {
    const { person, surface, by, fingerprint, scope, tokenId } = caller
    const [inGroups, visitors, labelled] = await Promise.all([
      groups.of(person),
      links.list(person),
      tokenId ? tokens.list((by ?? person).id) : [],
    ])
    const token = labelled.find(({ id }) => id === tokenId)
    const accounts = visitors.map(formatVisitor)
    const { commands = null, containers = null } = scope ?? {}
    const text = `You are ${person.name}${person.role === 'admin' ? ', an admin' : ''}${by ? `, by ${by.name}` : ''}.`
    return info(text, {
      fields: {
        name: person.name,
        role: person.role,
        'signed in by': surface,
        ...(fingerprint ? { key: fingerprint } : {}),
        ...(token ? { token: token.label } : {}),
        ...(inGroups.length > 0 ? { groups: inGroups.join(', ') } : {}),
        ...(accounts.length > 0 ? { 'chat accounts': accounts.join(', ') } : {}),
        ...(commands ? { commands: commands.join(', ') } : {}),
        ...(containers ? { containers: containers.join(', ') } : {}),
      },
      data: {
        name: person.name,
        role: person.role,
        state: person.state,
        surface,
        by: by?.name ?? null,
        fingerprint: fingerprint ?? null,
        token: token?.label ?? null,
        accounts,
        groups: inGroups,
        scope: scope ? { commands, containers } : null,
      },
    })
  },
})
