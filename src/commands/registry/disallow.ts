import { z } from 'zod'
import { count } from '../../core/model/count.ts'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const registryDisallow = defineCommand({
  name: 'registry disallow',
  about: 'No longer let members use a registry; what they have pulled stays.',
  examples: ['registry disallow docker.io'],
  needs: 'admin',
  changes: 'rights',
  args: { registry: { kind: 'registry', about: 'Registry that is allowed.' } },
  gives: z.object({ registry: z.string(), logins: z.number().int() }),
  confirms: ({ registry }) => `Disallow ${registry} and forget every login there?`,
  async run({ registry }, { registries }) {
    const logins = await registries.disallow(registry)
    const forgotten = logins === 0 ? '' : ` and ${count(logins, 'login')} there forgotten`
    return ok(`${registry} is not allowed any more${forgotten}.`, { data: { registry, logins } })
  },
})
