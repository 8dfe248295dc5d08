import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const keyLs = defineCommand({
  name: 'key ls',
  aliases: ['keys', 'key list'],
  about: 'List your public keys.',
  examples: ['key ls'],
  needs: 'member',
  changes: false,
  args: { member: { kind: 'person', optional: true, about: 'Whose keys (admins); yours when absent.' } },
  gives: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      fingerprint: z.string(),
      comment: z.string(),
      created_at: z.string(),
    }),
  ),
  async run({ member }, { caller, keys }) {
    const whose = member ?? caller.person
    const mine = whose.id === caller.person.id
    const all = await keys.list(whose.id)
    const data = all.map(({ id, type, fingerprint, comment, createdAt }) => ({
      id,
      type,
      fingerprint,
      comment,
      created_at: createdAt.toISOString(),
    }))
    if (all.length === 0)
      return info(`${mine ? 'You have' : `${whose.name} has`} no key yet; add one with key add.`, { data })
    return info(`${mine ? 'You have' : `${whose.name} has`} ${count(all.length, 'key')}.`, {
      table: {
        head: ['ID', 'TYPE', 'FINGERPRINT', 'COMMENT', 'ADDED'],
        rows: all.map((key) => [key.id, key.type, key.fingerprint, key.comment, formatTime(key.createdAt)]),
      },
      data,
    })
  },
})
