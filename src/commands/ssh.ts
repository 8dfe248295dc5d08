import { defineCommand } from '../core/command/define.ts'
import { containerData, sshLine, toData } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { info, warn } from '../core/reply/reply.ts'

export const ssh = defineCommand({
  name: 'ssh',
  aliases: ['shell'],
  about: 'Show the line that logs in to a container, and its host key.',
  examples: ['ssh web'],
  needs: 'enter',
  changes: false,
  private: true,
  args: { container: { kind: 'container', about: 'Container to log in to.' } },
  gives: containerData,
  async run({ container }, { place }) {
    const line = sshLine(container, place)
    if (!line) throw new DcmError('conflict', `${container.name} has no SSH server: its image ${container.imageRef} brings none.`)
    const extras = {
      code: line,
      fields: { fingerprint: container.fingerprint, 'known_hosts line': `[${place.publicHost}]:${toData(container, place).port} ${container.hostKey}` },
      data: toData(container, place),
    }
    if (container.state !== 'running')
      return warn(`${container.name} is ${container.state}; start it first, then this line logs in.`, {
        ...extras,
        actions: [{ label: 'Start it', line: container.state === 'paused' ? `unpause ${container.name}` : `start ${container.name}` }],
      })
    return info(`This line logs in to ${container.name} with any of your keys.`, extras)
  },
})
