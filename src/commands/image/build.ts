import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'

const hour = 3_600_000

/** A folder of /storage, from there: `/storage/app/` is `app`. */
function folderOf(text: string): string {
  if (/^(?:[a-z+]+:\/\/|[\w.-]+@[\w.-]+:)/i.test(text))
    throw new DcmError(
      'usage',
      'DCM fetches no repository itself: clone it inside a container into /storage, where the rules of your network hold, and name that folder with --context.',
      { try: 'help build' },
    )
  const parts = text
    .replace(/^\/storage(?=\/|$)/, '')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
  if ((text.startsWith('/') && !/^\/storage(?:\/|$)/.test(text)) || parts.includes('..'))
    throw new DcmError('usage', '--context is a folder in /storage, like app or /storage/app.', { try: 'help build' })
  return parts.join('/') || '.'
}

export const build = defineCommand({
  name: 'build',
  about: 'Build an image of your own from a Dockerfile, in a container of yours.',
  examples: ['build web:v1 @Dockerfile --context app', 'build tools @Dockerfile --build-arg VERSION=2 -m 1g'],
  needs: 'member',
  changes: true,
  begins: true,
  private: true,
  args: {
    image: { kind: 'image-ref', about: 'Name and tag of the image; an image of yours by that name is replaced.' },
    dockerfile: {
      kind: 'document',
      secret: true,
      about: 'The Dockerfile: a file (@Dockerfile), standard input (-) or a form.',
    },
    context: { kind: 'text', flag: true, optional: true, about: 'Folder of /storage that COPY reads from.' },
    'build-arg': {
      kind: 'env',
      flag: true,
      many: true,
      optional: true,
      secret: true,
      about: 'A value for an ARG of the Dockerfile.',
    },
    memory: { kind: 'size', flag: true, short: 'm', optional: true, about: 'Memory it may use; 512m when absent.' },
    cpus: { kind: 'cpus', flag: true, optional: true, about: 'CPUs it may use; 1 when absent.' },
    'pids-limit': { kind: 'count', flag: true, optional: true, about: 'Processes it may have; 256 when absent.' },
    timeout: { kind: 'duration', flag: true, default: '20m', about: 'How long it may take, at most 2h.' },
  },
  gives: z.object({
    image: z.string(),
    size: z.number().int().describe('Bytes.'),
    layers: z.number().int(),
    ssh: z.boolean(),
    output: z.string(),
    cut: z.boolean().describe('Some of the middle of the output is left out.'),
  }),
  async run(args, { caller, containers }) {
    if (args.timeout < 1000 || args.timeout > 2 * hour)
      throw new DcmError('usage', 'A build may take from 1s to 2h.', { try: 'help build' })
    const limits = await containers.limits({ memory: args.memory, cpus: args.cpus, pids: args['pids-limit'] })
    return begin('build', {
      ...{ ownerId: caller.person.id, ref: args.image, dockerfile: args.dockerfile, args: args['build-arg'] },
      ...{ context: args.context === undefined ? null : folderOf(args.context), limits, lives: args.timeout },
    })
  },
})
