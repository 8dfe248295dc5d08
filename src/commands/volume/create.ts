import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const volumeCreate = defineCommand({
  name: 'volume create',
  about: 'Make a volume: a folder of your own that containers mount where they like, with -v NAME:/path.',
  examples: ['volume create data'],
  needs: 'member',
  changes: true,
  args: { name: { kind: 'name', about: 'What you call it.' } },
  gives: z.object({ id: z.string(), name: z.string(), created_at: z.string() }),
  async run({ name }, { volumes }) {
    const { id, createdAt } = await volumes.create(name)
    return ok(`The volume ${name} is there; mount it with -v ${name}:/path. It counts in your quota of disk.`, {
      data: { id, name, created_at: createdAt.toISOString() },
    })
  },
})
