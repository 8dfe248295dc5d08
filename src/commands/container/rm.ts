import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'

export const rm = defineCommand({
  name: 'rm',
  aliases: ['delete', 'destroy', 'remove'],
  about: 'Remove containers with everything inside; /storage is kept.',
  examples: ['rm web', 'rm -f web db'],
  needs: 'own',
  changes: true,
  begins: true,
  args: {
    container: { kind: 'container', about: 'Containers to remove.', each: true },
    force: { kind: 'flag', about: 'Do not ask, and remove a running one too.', flag: true, short: 'f', optional: true },
  },
  gives: z.object({ name: z.string() }),
  confirms({ container, force }) {
    if (force) return undefined
    const { name, state } = container
    return state === 'running' || state === 'paused'
      ? {
          question: `${name} is ${state}: remove it as it is, with everything inside? /storage is kept.`,
          adds: { force: true },
        }
      : `Remove ${name} and everything inside it? /storage is kept.`
  },
  async run({ container, force }, { caller, containers }) {
    if (!force && (container.state === 'running' || container.state === 'paused'))
      throw new DcmError(
        'conflict',
        `${container.name} is ${container.state}; stop it first, or remove it as it is with -f.`,
        { try: `rm -f ${container.name}` },
      )
    if (await containers.atWork(container))
      return begin('end', { containerId: container.id, by: (caller.by ?? caller.person).name })
    return begin('remove', { containerId: container.id })
  },
})
