import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { containerData } from '../../core/reply/container.ts'

export const clone = defineCommand({
  name: 'clone',
  aliases: ['copy'],
  about: 'Make a copy of a container as it is now, with the same limits, ports, networks and variables.',
  examples: ['clone web web2'],
  needs: 'own',
  changes: true,
  beyond: true,
  begins: true,
  private: true,
  args: {
    container: { kind: 'container', about: 'Container to copy.' },
    name: { kind: 'container-name', about: 'What the copy is called; its image is NAME:clone.' },
  },
  gives: containerData.extend({
    left: z
      .array(z.object({ what: z.string(), why: z.string() }))
      .describe('What of the container its copy does not have.'),
  }),
  run: async ({ container, name }) => begin('clone', { containerId: container.id, ownerId: container.ownerId, name }),
})
