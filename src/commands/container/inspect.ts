import { defineCommand } from '../../core/command/define.ts'
import { containerData, networksOf, outdated, status, toData, toFields } from '../../core/reply/container.ts'
import { formatRestart } from '../../core/model/grant.ts'
import { info } from '../../core/reply/reply.ts'

export const inspect = defineCommand({
  name: 'inspect',
  aliases: ['status'],
  about: 'Show all about one container.',
  examples: ['inspect web'],
  needs: 'look',
  changes: false,
  private: true,
  args: { container: { kind: 'container', about: 'Container to look at.' } },
  gives: containerData,
  async run(args, { containers, place, now }) {
    const container = await containers.refresh(args.container)
    const renewal = outdated(container)
    const { spec } = container
    return info(`${container.name}: ${status(container, now)}.`, {
      fields: {
        ...toFields(container, place),
        owner: container.owner,
        created: container.createdAt.toISOString(),
        ...(spec.command.length > 0 ? { command: spec.command.join(' ') } : {}),
        ...(container.commandExit === null ? {} : { 'command exited': String(container.commandExit) }),
        ...(networksOf(container).length > 0 ? { networks: networksOf(container).join(', ') } : {}),
        ...(spec.volumes?.length
          ? { volumes: spec.volumes.map((one) => `${one.name}:${one.path}${one.readOnly ? ':ro' : ''}`).join(', ') }
          : {}),
        ...(spec.env.length > 0
          ? { variables: spec.env.map((pair) => pair.slice(0, pair.indexOf('='))).join(', ') }
          : {}),
        ...(spec.restart.name === 'no' ? {} : { restart: formatRestart(spec.restart) }),
        ...(spec.caps.length > 0 ? { capabilities: spec.caps.join(', ') } : {}),
        ...(spec.devices.length > 0 ? { devices: spec.devices.join(', ') } : {}),
        ...(spec.seccomp === null ? {} : { seccomp: spec.seccomp }),
        ...(container.note ? { note: container.note } : {}),
        ...(renewal ? { 'its image': renewal.says } : {}),
        ...(container.trouble ? { trouble: container.trouble } : {}),
      },
      data: toData(container, place),
    })
  },
})
