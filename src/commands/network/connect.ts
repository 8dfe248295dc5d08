import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

const args = {
  network: { kind: 'network', about: 'A network of yours.' },
  container: { kind: 'container', about: 'A container of yours.' },
} as const
const gives = z.object({ container: z.string(), network: z.string() })

export const networkConnect = defineCommand({
  name: 'network connect',
  about: 'Let a container join one more network, as it stands.',
  examples: ['network connect back web'],
  needs: 'own',
  changes: true,
  begins: true,
  args,
  gives,
  run: async ({ network, container }) => begin('join-network', { networkId: network.id, containerId: container.id }),
})

export const networkDisconnect = defineCommand({
  name: 'network disconnect',
  about: 'Take a container off a network that it has joined.',
  examples: ['network disconnect back web'],
  needs: 'own',
  changes: true,
  begins: true,
  args,
  gives,
  run: async ({ network, container }) => begin('leave-network', { networkId: network.id, containerId: container.id }),
})
