import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const networkRm = defineCommand({
  name: 'network rm',
  about: 'Remove a network that no container is on.',
  examples: ['network rm back'],
  needs: 'member',
  changes: true,
  begins: true,
  args: { network: { kind: 'network', about: 'Network to remove.' } },
  gives: z.object({ network: z.string() }),
  run: async ({ network }) => begin('remove-network', { networkId: network.id }),
})
