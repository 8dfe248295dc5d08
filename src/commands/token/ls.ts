import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const tokenLs = defineCommand({
  name: 'token ls',
  aliases: ['tokens', 'token list'],
  about: 'List your API tokens, without their secrets.',
  examples: ['token ls'],
  needs: 'member',
  changes: false,
  private: true,
  args: { member: { kind: 'person', optional: true, about: 'Whose tokens (admins); yours when absent.' } },
  gives: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      commands: z.array(z.string()).nullable(),
      containers: z.array(z.string()).nullable(),
      expired: z.boolean(),
      expires_at: z.string(),
      last_used_at: z.string().nullable(),
      created_at: z.string(),
    }),
  ),
  async run({ member }, { caller, now, tokens }) {
    const whose = member ?? caller.person
    const has = whose.id === caller.person.id ? 'You have' : `${whose.name} has`
    const all = (await tokens.list(whose.id)).map((token) => ({
      ...token,
      expired: token.expiresAt.getTime() <= now.getTime(),
    }))
    const data = all.map((token) => ({
      id: token.id,
      label: token.label,
      commands: token.commands,
      containers: token.containers,
      expired: token.expired,
      expires_at: token.expiresAt.toISOString(),
      last_used_at: token.lastUsedAt?.toISOString() ?? null,
      created_at: token.createdAt.toISOString(),
    }))
    if (all.length === 0) return info(`${has} no token; make one with token new.`, { data })
    return info(`${has} ${count(all.length, 'token')}.`, {
      table: {
        head: ['LABEL', 'COMMANDS', 'CONTAINERS', 'EXPIRES', 'LAST USED'],
        rows: all.map((token) => [
          token.label,
          token.commands?.join(', ') ?? 'all',
          token.containers?.join(', ') ?? 'all',
          token.expired ? 'expired' : formatTime(token.expiresAt),
          token.lastUsedAt ? formatTime(token.lastUsedAt) : 'never',
        ]),
      },
      data,
    })
  },
})
