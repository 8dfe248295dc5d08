import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import type { Source } from '../../core/command/intents.ts'
import { isRemote, parseRepository } from '../../core/model/repository.ts'
import { DcmError } from '../../core/reply/error.ts'

const hour = 3_600_000

/** A path below a folder, without a way out of it. @returns undefined for another */
function below(text: string): string | undefined {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.')
  return text.startsWith('/') || parts.includes('..') ? undefined : parts.join('/') || '.'
}

/** A folder of /storage, from there: `/storage/app/` is `app`. */
function folderOf(text: string): string {
  const folder = below(text.replace(/^\/storage(?:\/|$)/, ''))
  if (folder === undefined)
    throw new DcmError('usage', '--context is a folder in /storage, like app or /storage/app.', { try: 'help build' })
  return folder
}

/** @throws DcmError `usage` */
function repositoryOf(text: string): Source {
  const repository = parseRepository(text)
  if (typeof repository === 'string') throw new DcmError('usage', repository, { try: 'help build' })
  return { kind: 'git', ...repository }
}

/** What is built: a Dockerfile that was given, or a source that has one. @throws DcmError `usage` */
function subjectOf(dockerfile: string, context: string | undefined, sent: boolean) {
  const given = dockerfile.trim()
  const wrong = (sentence: string) => new DcmError('usage', sentence, { try: 'help build' })
  if (given === '-' || sent) {
    if (!sent)
      throw wrong(
        'No tar came with this: use the dcm command (dcm build web:v1 ./app), or pipe one in (tar -c . | ssh … build web:v1 -).',
      )
    if (given !== '-') throw wrong('With a tar the Dockerfile is in it: give - in its place, and name it with -f.')
    if (context !== undefined) throw wrong('What is sent is what COPY reads from; leave --context out.')
    return { dockerfile: null, source: { kind: 'sent' } as const }
  }
  if (isRemote(given)) {
    if (context !== undefined) throw wrong('The repository is what COPY reads from; leave --context out.')
    return { dockerfile: null, source: repositoryOf(given) }
  }
  if (/^[\w-]+(?:\.[\w-]+)+\/[\w.~-]+\/[\w.~/-]+(?:#\S*)?$/.test(given))
    throw wrong(`A repository is named by its whole URL: write https://${given.slice(0, 200)}.`)
  if (/^[@\w.~/-]+$/.test(given))
    throw wrong(
      'Files are read by the dcm command alone (dcm build web:v1 ./app, or @Dockerfile); without it pipe a tar in: tar -c . | ssh … build web:v1 -.',
    )
  if (context !== undefined && isRemote(context)) return { dockerfile, source: repositoryOf(context) }
  return { dockerfile }
}

export const build = defineCommand({
  name: 'build',
  about: 'Build an image of your own from a Dockerfile, a folder or a repository, in a container of yours.',
  examples: [
    'build web:v1 ./app',
    'build web:v1 https://git.example.com/team/app.git#main:server',
    'build tools @Dockerfile --context app --build-arg VERSION=2 -m 1g',
  ],
  needs: 'member',
  changes: true,
  begins: true,
  streams: true,
  private: true,
  args: {
    image: { kind: 'image-ref', about: 'Name and tag of the image; an image of yours by that name is replaced.' },
    dockerfile: {
      kind: 'document',
      secret: true,
      about: "A Dockerfile (@FILE or -), or what holds one: a folder (./app), a tar (-), a repository's URL.",
    },
    file: {
      kind: 'text',
      flag: true,
      short: 'f',
      optional: true,
      about: 'Path of the Dockerfile in what is sent or fetched; Dockerfile when absent.',
    },
    context: {
      kind: 'text',
      word: 'FOLDER|URL',
      flag: true,
      optional: true,
      about: "What COPY reads from beside a Dockerfile: a folder of /storage, or a Git repository's URL.",
    },
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
  async run(args, { caller, containers, body }) {
    if (args.timeout < 1000 || args.timeout > 2 * hour)
      throw new DcmError('usage', 'A build may take from 1s to 2h.', { try: 'help build' })
    const { dockerfile, source } = subjectOf(args.dockerfile, args.context, body !== undefined)
    const file = args.file === undefined ? undefined : below(args.file)
    if (args.file !== undefined && (dockerfile !== null || file === undefined || file === '.'))
      throw new DcmError(
        'usage',
        '-f is the path of a Dockerfile in what is sent or fetched, like docker/Dockerfile.',
        {
          try: 'help build',
        },
      )
    const limits = await containers.limits({ memory: args.memory, cpus: args.cpus, pids: args['pids-limit'] })
    return begin('build', {
      ...{
        ownerId: caller.person.id,
        ref: args.image,
        dockerfile,
        args: args['build-arg'],
        limits,
        lives: args.timeout,
      },
      context: source || args.context === undefined ? null : folderOf(args.context),
      ...(source ? { source } : {}),
      ...(file === undefined ? {} : { file }),
    })
  },
})
