import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const portRm = defineCommand({
  name: 'port rm',
  about: 'Close a port that was opened with port add.',
  examples: ['port rm web 8080', 'port rm dns 53/udp'],
  needs: 'own',
  changes: true,
  begins: true,
  args: {
    container: { kind: 'container', about: 'Container whose port it is.' },
    port: { kind: 'port', about: 'Port inside.' },
  },
  gives: z.object({ container: z.string(), port: z.number().int(), proto: z.string() }),
  run: async ({ container, port }) =>
    begin('remove-port', { containerId: container.id, port: port.container, proto: port.proto }),
})
