import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatAmount } from '../../core/model/quota.ts'
import { formatTime } from '../../core/model/time.ts'
import { formatVisitor } from '../../core/model/visitor.ts'
import { formatSize } from '../../core/model/units.ts'
import { info } from '../../core/reply/reply.ts'

const list = (names: readonly string[]) => names.join(', ') || 'none'

export const userShow = defineCommand({
  name: 'user show',
  about: 'Show a member: what is theirs, what they may and what they use.',
  examples: ['user show alice'],
  needs: 'admin',
  changes: false,
  records: true,
  private: true,
  args: { member: { kind: 'person', about: 'The member.' } },
  gives: z.object({
    name: z.string(),
    role: z.enum(['member', 'admin']),
    state: z.enum(['active', 'suspended', 'leaving']),
    created_at: z.string(),
    containers: z.array(z.string()),
    images: z.array(z.string()),
    keys: z.array(z.object({ id: z.string(), type: z.string(), fingerprint: z.string(), comment: z.string() })),
    groups: z.array(z.string()),
    tokens: z.number().int(),
    accounts: z.array(z.string()).describe('Chat accounts.'),
    grants: z.array(z.object({ thing: z.string(), expires_at: z.string().nullable() })),
    storage: z.number().int().describe('Bytes.'),
  }),
  async run({ member }, { people, keys, grants, groups, quota, links }) {
    const [has, itsKeys, itsGrants, allowances, linked, itsGroups] = await Promise.all([
      people.belongings(member),
      keys.list(member.id),
      grants.list(member),
      quota.of(member),
      links.list(member),
      groups.of(member),
    ])
    const accounts = linked.map(formatVisitor)
    return info(`${member.name} is ${member.role === 'admin' ? 'an admin' : 'a member'} and ${member.state}.`, {
      fields: {
        since: formatTime(member.createdAt),
        containers: list(has.containers),
        images: list(has.images),
        keys: list(itsKeys.map((key) => key.fingerprint)),
        tokens: String(has.tokens),
        'chat accounts': list(accounts),
        groups: list(itsGroups),
        grants: list(itsGrants.map((grant) => grant.thing)),
        storage: formatSize(has.storage),
      },
      table: {
        head: ['QUOTA', 'USED', 'LIMIT', 'FROM'],
        rows: allowances.map(({ resource, used, limit, from, group }) => [
          resource,
          formatAmount(resource, used),
          formatAmount(resource, limit),
          group ? `group ${group}` : from,
        ]),
      },
      data: {
        name: member.name,
        role: member.role,
        state: member.state,
        created_at: member.createdAt.toISOString(),
        containers: has.containers,
        images: has.images,
        keys: itsKeys.map(({ id, type, fingerprint, comment }) => ({ id, type, fingerprint, comment })),
        groups: itsGroups,
        tokens: has.tokens,
        accounts,
        grants: itsGrants.map((grant) => ({ thing: grant.thing, expires_at: grant.expiresAt?.toISOString() ?? null })),
        storage: has.storage,
      },
    })
  },
})
