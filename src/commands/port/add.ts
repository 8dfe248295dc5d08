import { begin, defineCommand } from '../../core/command/define.ts'
import { reaches } from '../../core/model/container.ts'
import { portData } from '../../core/reply/container.ts'

export const portAdd = defineCommand({
  name: 'port add',
  about: 'Open a port of a container that is there; nothing is restarted, and again it sets when it ends.',
  examples: ['port add web 8080 --for 2d', 'port add dns 53/udp', 'port add web 8080 --share me'],
  needs: 'own',
  changes: true,
  begins: true,
  private: true,
  args: {
    container: { kind: 'container', about: 'Container whose port it is.' },
    port: { kind: 'port', about: 'Port inside; DCM picks the outer one.' },
    for: {
      kind: 'duration',
      flag: true,
      optional: true,
      about: 'How long it is open; until it is closed when absent.',
    },
    share: {
      kind: 'choice',
      of: reaches,
      flag: true,
      default: 'site',
      about:
        'Who reaches it: you, through the SSH door (me), as any port here (site), or all addresses (public, granted).',
    },
  },
  gives: portData,
  run: async ({ container, port, for: lives, share }) =>
    begin('add-port', {
      ...{ containerId: container.id, port, reach: share },
      ...(lives === undefined ? {} : { lives }),
    }),
})
