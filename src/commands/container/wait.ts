import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

const most = 30 * 86_400_000

export const wait = defineCommand({
  name: 'wait',
  about: 'Answer when a container, or the command that it was created with, has ended.',
  examples: ['wait web', 'wait web --for 2h'],
  needs: 'look',
  changes: true,
  begins: true,
  args: {
    container: { kind: 'container', about: 'Container to wait for.' },
    for: { kind: 'duration', about: 'How long at most, up to 30d.', flag: true, default: '1d' },
  },
  gives: z.object({
    name: z.string(),
    ended: z.boolean(),
    exit_code: z.number().int().nullable().describe("The command's where it has one, else the container's."),
    state: z.string(),
  }),
  run: async (args, { caller }) =>
    begin('wait', { containerId: args.container.id, byId: caller.person.id, lives: Math.min(args.for, most) }),
})
