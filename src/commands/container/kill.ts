import { begin, defineCommand } from '../../core/command/define.ts'
import { containerData } from '../../core/reply/container.ts'

export const kill = defineCommand({
  name: 'kill',
  about: 'Send a signal to what runs first in containers; KILL ends them at once, a build or a job too.',
  examples: ['kill web', 'kill -s HUP web'],
  needs: 'operate',
  changes: true,
  begins: true,
  args: {
    container: { kind: 'container', about: 'Containers it is sent to.', each: true },
    signal: {
      kind: 'signal',
      about: 'Which one: HUP, INT, QUIT, KILL, USR1, USR2, TERM, CONT or WINCH.',
      flag: true,
      short: 's',
      default: 'KILL',
    },
  },
  gives: containerData,
  async run({ container, signal }, { caller, containers }) {
    const containerId = container.id
    if (signal === 'KILL' && (await containers.atWork(container)))
      return begin('end', { containerId, by: (caller.by ?? caller.person).name })
    return begin('kill', { containerId, signal })
  },
})
