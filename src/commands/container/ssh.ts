import { defineCommand } from '../../core/command/define.ts'
import { containerData, jumpLine, sshLine, toData } from '../../core/reply/container.ts'
import { DcmError } from '../../core/reply/error.ts'
import { info, warn } from '../../core/reply/reply.ts'
import { knownName } from '../../core/reply/sshconfig.ts'

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
  async run({ container }, { place, caller }) {
    const line = sshLine(container, place)
    if (!line)
      throw new DcmError(
        'conflict',
        `${container.name} has no SSH server: its image ${container.imageRef} brings none, and the SSH door is off here.`,
      )
    const data = toData(container, place)
    const jump = jumpLine(container, caller.person.name, place)
    const known = container.ssh
      ? `[${place.publicHost}]:${data.port} ${container.hostKey}`
      : `${knownName(place)} ${place.ssh!.hostKey}`
    const extras = {
      code: line,
      fields: {
        fingerprint: data.fingerprint!,
        'known_hosts line': known,
        ...(jump ? { 'through DCM': jump } : {}),
      },
      data,
    }
    const wakes = !container.ssh && container.spec.wake !== false
    if (container.state !== 'running' && wakes)
      return info(`${container.name} is ${container.state}; this line wakes it and logs in.`, extras)
    if (container.state !== 'running')
      return warn(`${container.name} is ${container.state}; start it first, then this line logs in.`, {
        ...extras,
        actions: [
          {
            label: 'Start it',
            line: container.state === 'paused' ? `unpause ${container.name}` : `start ${container.name}`,
          },
        ],
      })
    return info(`This line logs in to ${container.name} with any of your keys.`, extras)
  },
})
