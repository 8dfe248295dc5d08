import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

const folder = '/storage/inbox'

export const inbox = defineCommand({
  name: 'inbox',
  about: 'Put a file that comes along, as a chat sends it, into /storage/inbox of a running container.',
  examples: ['inbox', 'inbox web'],
  needs: 'enter',
  changes: true,
  streams: true,
  file: true,
  private: true,
  args: {
    container: {
      kind: 'container',
      optional: true,
      about: 'Container that takes it; any that runs when absent, for /storage is the same in all.',
    },
    name: { kind: 'text', flag: true, optional: true, about: 'What the one file in the tar is called.' },
  },
  gives: z.object({ container: z.string(), path: z.string(), bytes: z.number() }),
  async run({ container, name }, { containers, files, body }) {
    if (!body || name === undefined)
      throw new DcmError(
        'usage',
        'No file came with this: send the bot a file in a chat, or use dcm cp ./file web:/storage.',
        {
          try: 'help cp',
        },
      )
    const target = container ?? (await containers.mine()).containers.find((one) => one.state === 'running')
    if (!target)
      throw new DcmError(
        'conflict',
        'No container of yours is running, and one has to take the file: start one and send it again.',
        {
          try: 'ps',
        },
      )
    const bytes = await files.put({ container: target, path: folder }, name, body, true)
    return ok(`${name} is in ${folder} of your containers.`, {
      data: { container: target.name, path: `${folder}/${name}`, bytes },
    })
  },
})
