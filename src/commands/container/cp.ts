import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatSize } from '../../core/model/units.ts'
import { DcmError } from '../../core/reply/error.ts'
import { info, ok } from '../../core/reply/reply.ts'

/** What can be one part of a path: the program that unpacks it makes a file of this name. */
const part = /^(?!\.{1,2}$)[^/\0]{1,255}$/

export const cp = defineCommand({
  name: 'cp',
  about: 'Copy files into a container or out of it; what is - is a tar, and the dcm command takes files and folders.',
  examples: ['cp ./site web:/srv', 'cp web:/var/log ./logs', 'cp web:/srv -'],
  needs: 'enter',
  changes: true,
  streams: true,
  private: true,
  args: {
    source: { kind: 'place', about: 'What is copied: CONTAINER:/PATH, or - for a tar that is sent along.' },
    target: { kind: 'place', about: 'Where it goes: a folder of a container as CONTAINER:/PATH, or - for a tar.' },
    name: {
      kind: 'text',
      flag: true,
      optional: true,
      about: 'The one thing that the tar holds; where there is no folder at the path, it becomes the path.',
    },
  },
  gives: z.object({
    container: z.string(),
    path: z.string(),
    file: z.string().nullable(),
    bytes: z.number().nullable(),
  }),
  async run({ source, target, name }, { files, body }) {
    if (source && target)
      throw new DcmError('usage', 'Files go in or out; for a copy between containers give - for one of the two.', {
        try: 'help cp',
      })
    if (source) {
      const { name: file, bytes } = await files.take(source)
      return info(`This is ${source.path} of ${source.container.name}, as a tar.`, {
        file: { name: file, type: 'application/x-tar', bytes },
        data: { container: source.container.name, path: source.path, file, bytes: null },
      })
    }
    if (!target) throw new DcmError('usage', 'One of the two has to be CONTAINER:/PATH.', { try: 'help cp' })
    if (name !== undefined && !part.test(name))
      throw new DcmError('usage', 'The name in --name is one file or folder, without a slash.')
    if (!body)
      throw new DcmError(
        'usage',
        'No tar came with this: use the dcm command (dcm cp ./site web:/srv), or send one to POST /v1/cp.',
        { try: 'help cp' },
      )
    const bytes = await files.put(target, name, body)
    return ok(`Copied ${formatSize(bytes)} to ${target.path} of ${target.container.name}.`, {
      data: { container: target.container.name, path: target.path, file: null, bytes },
    })
  },
})
