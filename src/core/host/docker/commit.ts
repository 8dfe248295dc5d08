import { randomBytes } from 'node:crypto'
import type { CommitOptions, ImageConfig, SeenImage } from '../engine.ts'
import { HostError } from '../fault.ts'
import type { Aid } from './aid.ts'
import { labels } from './create.ts'
import { ownEnv } from './environment.ts'
import { tidy } from './fault.ts'
import { containerId, fullImage, ownTag } from './names.ts'
import { readProgress } from './progress.ts'
import { object, string } from './read.ts'
import { deadlines, type Wire } from './wire.ts'

/** The engine ends at 125 layers ("max depth exceeded"); a snapshot that would pass this many is made flat. */
export const mostLayers = 110

const envName = /^[A-Za-z_][A-Za-z0-9_.-]*$/
const quoted = (text: string): string => `"${text.replace(/["\\$]/g, '\\$&')}"`

/** Dockerfile lines for what an image says of itself. A line break would begin another. @throws HostError `refused` */
function said(config: ImageConfig): string[] {
  const { entrypoint, command, env, user, folder, exposes, labels: told } = config
  const lines = [
    // As above: an empty entrypoint would leave the container's.
    `ENTRYPOINT ${JSON.stringify(entrypoint.length > 0 ? entrypoint : ['/usr/bin/env'])}`,
    `CMD ${JSON.stringify(entrypoint.length > 0 || command.length > 0 ? command : ['/bin/sh'])}`,
    `USER ${user || '0:0'}`,
    `WORKDIR ${folder || '/root'}`,
    'HEALTHCHECK NONE',
    ...exposes.map((port) => `EXPOSE ${port}`),
    ...Object.entries(told).map(([name, value]) => `LABEL ${quoted(name)}=${quoted(value)}`),
    ...env.map((entry) => `ENV ${entry.slice(0, entry.indexOf('='))}=${quoted(entry.slice(entry.indexOf('=') + 1))}`),
  ]
  if (lines.some((line) => /[\p{Cc}]/u.test(line)) || env.some((entry) => !envName.test(entry.split('=', 1)[0]!)))
    throw new HostError('refused', 'What the image is to say of itself cannot be said in a Dockerfile.')
  return lines
}

/**
 * Dockerfile lines that leave an image harmless and free of what DCM put into the container: a commit copies the
 * container's labels, variables, entrypoint and command, which can be overridden but not removed.
 */
export function commitChanges(blankEnv: readonly string[], config?: ImageConfig): string[] {
  const names = [...new Set([...ownEnv, ...blankEnv])]
  if (names.some((name) => !envName.test(name)))
    throw new HostError('refused', 'A variable to blank has no proper name.')
  return [
    // An empty one would leave the container's; this one runs what it is given, also outside DCM.
    ...(config
      ? said(config)
      : ['ENTRYPOINT ["/usr/bin/env"]', 'CMD ["/bin/sh"]', 'USER 0:0', 'WORKDIR /root', 'HEALTHCHECK NONE']),
    ...Object.values(labels).map((label) => `LABEL ${label}=""`),
    ...names.map((name) => `ENV ${name}=""`),
  ]
}

/** What a commit asks of the images of its engine. */
type Images = {
  image(ref: string): Promise<SeenImage | undefined>
  must(ref: string): Promise<SeenImage>
  untag(ref: string): Promise<void>
  imageTags(): Promise<{ ref: string; engineId: string }[]>
}

/** Makes images of containers. */
export function createCommit(wire: Wire, instance: string, aid: Aid, { image, must, untag, imageTags }: Images) {
  const commitOnce = async (engineId: string, options: CommitOptions): Promise<string> => {
    const { repo, tag } = ownTag(instance, options.ref)
    const answer = await wire.call('POST', ['commit'], {
      query: {
        container: containerId(engineId),
        repo,
        tag,
        comment: tidy(options.message),
        author: tidy(options.author).slice(0, 200),
        pause: 1,
        changes: commitChanges(options.blankEnv, options.config),
      },
      body: {},
      deadline: deadlines.commit,
      pool: 'long',
    })
    return fullImage(string(object(answer.body, 'commit').Id, 'commit'))
  }

  /** Export and import: one layer and a clean configuration. From a snapshot, so that the container runs on meanwhile. */
  const flatten = async (image: SeenImage, options: CommitOptions): Promise<string> => {
    const { repo, tag } = ownTag(instance, options.ref)
    return aid.lend({ imageId: image.engineId, command: ['/bin/true'] }, async (id) => {
      const stream = await wire.open('GET', ['containers', id, 'export'], { deadline: deadlines.start, pool: 'long' })
      const blank = new Set([...ownEnv, ...options.blankEnv])
      const kept = image.env.flatMap((entry) => {
        const at = entry.indexOf('=')
        const [name, value] = [entry.slice(0, at), entry.slice(at + 1)]
        // A line break would begin another instruction; such a value cannot be carried over.
        if (at < 1 || !envName.test(name) || blank.has(name) || /[\p{Cc}]/u.test(value)) return []
        return [`ENV ${name}=${quoted(value)}`]
      })
      const answer = await wire.open('POST', ['images', 'create'], {
        query: {
          fromSrc: '-',
          repo,
          tag,
          message: tidy(options.message),
          changes: [
            ...kept,
            ...(options.config ? said(options.config) : ['CMD ["/bin/sh"]', 'USER 0:0', 'WORKDIR /root']),
          ],
        },
        upload: { stream, type: 'application/x-tar' },
        deadline: deadlines.commit,
        pool: 'long',
      })
      await readProgress(answer, () => undefined)
      return (await must(options.ref)).engineId
    })
  }

  /**
   * Engines before 25 keep the container's own configuration in the image beside the one that was asked for, with every
   * value of `-e` in it, for whoever saves or pushes the image. A container that never ran and never had them has none.
   */
  const blank = (image: SeenImage, options: CommitOptions): Promise<string> => {
    const env = [...ownEnv, ...options.blankEnv].map((name) => `${name}=`)
    return aid.lend({ imageId: image.engineId, command: ['/bin/true'], env }, (id) => commitOnce(id, options))
  }

  /** Names of snapshots on the way to an image, with the time in them; those of a crash are dropped after some hours. */
  const steps = `dcm/${instance}/step:`
  const dropSteps = async () => {
    const old = (Date.now() - 6 * 3_600_000).toString(36)
    for (const { ref } of await imageTags()) {
      const at = ref.slice(steps.length).split('-')[0]!
      if (ref.startsWith(steps) && (at.length < old.length || (at.length === old.length && at < old))) await untag(ref)
    }
  }

  return async function commit(engineId: string, options: CommitOptions): Promise<SeenImage> {
    ownTag(instance, options.ref)
    // A try before this one may have got as far as the tag; over it, its image would stay without a name.
    await untag(options.ref).catch((error: unknown) => {
      if (!(error instanceof HostError) || error.fault !== 'taken') throw error
    })
    const { body } = await wire.call('GET', ['containers', containerId(engineId), 'json'], {
      deadline: deadlines.short,
    })
    const base = await image(fullImage(string(object(body, 'inspect').Image, 'inspect')))
    const layers = base?.layers ?? 0
    if (layers < mostLayers && options.blankEnv.length === 0) {
      await commitOnce(engineId, options)
      return must(options.ref)
    }
    await dropSteps()
    const step = `${steps}${Date.now().toString(36)}-${randomBytes(6).toString('hex')}`
    await commitOnce(engineId, { ...options, ref: step })
    try {
      const snapshot = await must(step)
      if (layers + 1 < mostLayers) await blank(snapshot, options)
      else await flatten(snapshot, options)
      return await must(options.ref)
    } finally {
      await untag(step).catch(() => undefined)
    }
  }
}
