import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { inward } from '../../core/model/registry.ts'
import { ok } from '../../core/reply/reply.ts'

export const registryAllow = defineCommand({
  name: 'registry allow',
  about: 'Let members pull from a registry and push to it.',
  examples: ['registry allow docker.io', 'registry allow registry.example.com:5000'],
  needs: 'admin',
  changes: 'rights',
  args: { registry: { kind: 'registry', about: 'Registry, exactly as it stands before the first slash of a name.' } },
  gives: z.object({ registry: z.string() }),
  confirms: ({ registry }) =>
    inward(registry)
      ? `Docker on this host, and not a container, asks ${registry}, so that may be the host itself or its network. Allow it?`
      : undefined,
  async run({ registry }, { registries }) {
    await registries.allow(registry)
    return ok(`Members may pull from ${registry} and push to it, each with a login of their own.`, {
      data: { registry },
    })
  },
})
