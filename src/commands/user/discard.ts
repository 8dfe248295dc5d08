import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatSize } from '../../core/model/units.ts'
import { ok } from '../../core/reply/reply.ts'

export const userDiscard = defineCommand({
  name: 'user discard',
  about: 'Remove the storage that a member who is gone has left.',
  examples: ['user discard bob'],
  needs: 'admin',
  changes: true,
  args: { which: { kind: 'text', about: 'Name or id of its former owner, as user kept lists it.' } },
  gives: z.object({ id: z.string(), name: z.string().nullable(), size: z.number().int().describe('Bytes.') }),
  async confirms({ which }, { kept }) {
    const { name, id, size } = await kept.find(which)
    return `Remove the ${formatSize(size)} that ${name ?? id} left, with every file in it? It cannot be undone.`
  },
  async run({ which }, { kept }) {
    const { id, name, size } = await kept.find(which)
    await kept.remove(id)
    return ok(`What ${name ?? id} left is removed, ${formatSize(size)}.`, { data: { id, name, size } })
  },
})
