import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const registryLogout = defineCommand({
  name: 'registry logout',
  about: 'Forget your login to a registry.',
  examples: ['registry logout docker.io'],
  needs: 'member',
  changes: true,
  args: { registry: { kind: 'registry', about: 'Registry that you are logged in to.' } },
  gives: z.object({ registry: z.string() }),
  async run({ registry }, { registries }) {
    await registries.logout(registry)
    return ok(`Your login to ${registry} is forgotten; what you have pulled stays.`, { data: { registry } })
  },
})
