import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

export const secretRm = defineCommand({
  name: 'secret rm',
  about: 'Take a secret out of a container.',
  examples: ['secret rm web DB_PASSWORD'],
  needs: 'own',
  changes: true,
  args: {
    container: { kind: 'container', about: 'Container that has it.' },
    name: { kind: 'text', about: 'Name of the secret.' },
  },
  gives: z.object({ container: z.string(), name: z.string() }),
  async run({ container, name }, { secrets }) {
    await secrets.remove(container, name)
    return ok(`${container.name} has no secret ${name} any more; what has read it keeps it.`, {
      data: { container: container.name, name },
    })
  },
})
