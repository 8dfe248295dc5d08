import { defineCommand } from '../../core/command/define.ts'
import { containerData, toData } from '../../core/reply/container.ts'
import { ok } from '../../core/reply/reply.ts'

export const rename = defineCommand({
  name: 'rename',
  about: 'Give a container another name.',
  examples: ['rename web site'],
  needs: 'own',
  changes: true,
  args: {
    container: { kind: 'container', about: 'Container to rename.' },
    name: { kind: 'container-name', about: 'Its new name.' },
  },
  gives: containerData,
  async run({ container, name }, { containers, place }) {
    const renamed = await containers.rename(container, name)
    const later =
      container.state === 'running' || container.state === 'paused'
        ? ' Your other containers find it under the new name after its next stop and start.'
        : ''
    return ok(`${container.name} is now called ${name}.${later}`, { data: toData(renamed, place) })
  },
})
