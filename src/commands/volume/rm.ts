import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const volumeRm = defineCommand({
  name: 'volume rm',
  about: 'Remove a volume that nothing mounts, with all it holds.',
  examples: ['volume rm data'],
  needs: 'member',
  changes: true,
  begins: true,
  args: { volume: { kind: 'volume', about: 'Volume to remove.' } },
  gives: z.object({ volume: z.string() }),
  confirms: ({ volume }) => `Remove the volume ${volume.name} and all it holds?`,
  run: async ({ volume }) => begin('remove-volume', { volumeId: volume.id }),
})
