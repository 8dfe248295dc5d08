import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { info } from '../../core/reply/reply.ts'

export const exportCommand = defineCommand({
  name: 'export',
  about: 'Download the file system of a container as a tar; /storage and secrets are not in it.',
  examples: ['export web'],
  needs: 'own',
  changes: false,
  records: true,
  private: true,
  args: { container: { kind: 'container', about: 'Container to download.' } },
  gives: z.object({ container: z.string(), file: z.string() }),
  async run({ container }, { files }) {
    const name = `${container.name}.tar`
    const bytes = await files.export(container)
    return info(`This is the file system of ${container.name}; /storage and secrets are not in it.`, {
      file: { name, type: 'application/x-tar', bytes },
      data: { container: container.name, file: name },
    })
  },
})
