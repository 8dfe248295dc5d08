import { randomBytes } from 'node:crypto'
import type { Anatomy } from '../../model/image.ts'
import { type CommitOptions, HostError, type ImageConfig, type SeenImage } from '../host.ts'
import type { Aid } from './aid.ts'
import { packFolder } from './pack.ts'
import { labels, ownEnv } from './create.ts'
import { malformed, tidy } from './fault.ts'
import { containerId, fullImage, imageId, imageRef, ownTag } from './names.ts'
import { array, maybeObject, number, object, string, stringMap, strings } from './read.ts'
import { deadlines, jsonLines, type Wire } from './wire.ts'

/** The engine ends at 125 layers ("max depth exceeded"); a snapshot that would pass this many is made flat. */
export const mostLayers = 110

/** One answer of `GET /images/{name}/json`. @throws HostError `broken` */
export function readImage(body: unknown): SeenImage {
  const what = 'inspect of an image'
  const item = object(body, what)
  const engineId = string(item.Id, what)
  if (!imageId.test(engineId)) throw malformed(what)
  const config = maybeObject(item.Config)
  return {
    engineId,
    size: number(item.Size, what),
    layers: strings(maybeObject(item.RootFS).Layers).length,
    env: strings(config.Env),
    labels: stringMap(config.Labels),
    volumes: Object.keys(maybeObject(config.Volumes)),
    entrypoint: strings(config.Entrypoint),
    command: strings(config.Cmd),
  }
}

/** What is inside, as the same answer says it. Values of variables, which may be secrets, stay out. @throws HostError `broken` */
export function readInside(body: unknown): Anatomy {
  const item = object(body, 'inspect of an image')
  const config = maybeObject(item.Config)
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const made = new Date(text(item.Created))
  return {
    os: text(item.Os),
    arch: text(item.Architecture) + (text(item.Variant) === '' ? '' : `/${text(item.Variant)}`),
    user: text(config.User),
    folder: text(config.WorkingDir),
    exposes: Object.keys(maybeObject(config.ExposedPorts)),
    env: strings(config.Env).map((entry) => entry.split('=', 1)[0]!),
    entrypoint: strings(config.Entrypoint),
    command: strings(config.Cmd),
    labels: stringMap(config.Labels),
    chain: strings(maybeObject(item.RootFS).Layers),
    triggers: strings(config.OnBuild).length,
    // Go writes a time that was never set as the year 1.
    createdAt: Number.isNaN(made.getTime()) || made.getFullYear() < 1970 ? null : made,
  }
}

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

/** The images of one engine. */
export function createImages(wire: Wire, instance: string, aid: Aid) {
  const look = async (ref: string): Promise<SeenImage | undefined> => {
    const path = ['images', ...imageRef(ref).split('/'), 'json']
    const answer = await wire.call('GET', path, { deadline: deadlines.short, allow: [404] })
    return answer.status === 404 ? undefined : readImage(answer.body)
  }

  const must = async (ref: string): Promise<SeenImage> => {
    const image = await look(ref)
    if (!image) throw new HostError('gone', `The engine has no image ${ref}.`)
    return image
  }

  const untag = async (ref: string): Promise<void> => {
    const { repo, tag } = ownTag(instance, ref)
    await wire.call('DELETE', ['images', ...`${repo}:${tag}`.split('/')], {
      deadline: deadlines.start,
      pool: 'long',
      allow: [404],
    })
  }

  const imageTags = async (): Promise<{ ref: string; engineId: string }[]> => {
    const own = `dcm/${instance}/`
    const reference = [`${own}*`, `${own}*/*`, `${own}*/*/*`]
    const what = 'the list of images'
    const { body } = await wire.call('GET', ['images', 'json'], {
      query: { filters: JSON.stringify({ reference }) },
      deadline: deadlines.short,
    })
    return array(body, what).flatMap((value) => {
      const item = object(value, what)
      const engineId = string(item.Id, what)
      return strings(item.RepoTags)
        .filter((ref) => ref.startsWith(own))
        .map((ref) => ({ ref, engineId }))
    })
  }

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

  const readProgress = async (
    response: Parameters<typeof jsonLines>[0],
    say: (line: string) => void,
  ): Promise<void> => {
    let rest = ''
    for await (const value of jsonLines(response, deadlines.buildIdle, 'build')) {
      const item = object(value, 'build')
      if (typeof item.error === 'string') throw new HostError('refused', `The build failed: ${tidy(item.error)}.`)
      if (typeof item.stream !== 'string') continue
      const lines = (rest + item.stream).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') say(line.replace(/[\p{Cc}]+/gu, ' ').slice(0, 2000))
    }
    if (rest.trim() !== '') say(rest.slice(0, 2000))
  }

  return {
    image: look,
    untag,

    async commit(engineId: string, options: CommitOptions): Promise<SeenImage> {
      ownTag(instance, options.ref)
      // A try before this one may have got as far as the tag; over it, its image would stay without a name.
      await untag(options.ref).catch((error: unknown) => {
        if (!(error instanceof HostError) || error.fault !== 'taken') throw error
      })
      const { body } = await wire.call('GET', ['containers', containerId(engineId), 'json'], {
        deadline: deadlines.short,
      })
      const base = await look(fullImage(string(object(body, 'inspect').Image, 'inspect')))
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
    },

    async inside(engineId: string): Promise<Anatomy> {
      const path = ['images', fullImage(engineId), 'json']
      return readInside((await wire.call('GET', path, { deadline: deadlines.short })).body)
    },

    imageTags,

    async tag(engineId: string, ref: string): Promise<void> {
      const query = ownTag(instance, ref)
      await wire.call('POST', ['images', fullImage(engineId), 'tag'], { query, deadline: deadlines.short })
    },

    async build(
      folder: string,
      ref: string,
      say: (line: string) => void,
      { fresh = false }: { fresh?: boolean } = {},
    ): Promise<SeenImage> {
      const { repo, tag } = ownTag(instance, ref)
      const response = await wire.open('POST', ['build'], {
        query: {
          ...{ t: `${repo}:${tag}`, dockerfile: 'Dockerfile', version: 1, rm: 1, forcerm: 1, pull: undefined },
          nocache: fresh ? 1 : undefined,
          labels: JSON.stringify({ [labels.built]: instance }),
        },
        upload: { stream: packFolder(folder), type: 'application/x-tar' },
        deadline: deadlines.build,
        pool: 'long',
      })
      await readProgress(response, say)
      return must(ref)
    },

    async imageHas(engineId: string, paths: string[]): Promise<boolean> {
      return aid.lend({ imageId: fullImage(engineId), command: ['/dcm'] }, async (id) => {
        for (const path of paths) if (await executable(id, path)) return true
        return false
      })
    },
  }

  /** HEAD archive: the engine's own look at one path, without any of its content. Engine API, ContainerArchiveInfo. */
  async function executable(id: string, path: string): Promise<boolean> {
    for (let hops = 0, at = path; hops < 8; hops++) {
      if (!/^\/[^\p{Cc}]{1,1024}$/u.test(at)) return false
      const response = await wire.open('HEAD', ['containers', id, 'archive'], {
        query: { path: at },
        deadline: deadlines.short,
        allow: [404],
      })
      response.resume()
      const text = response.headers['x-docker-container-path-stat']
      if (response.statusCode === 404 || typeof text !== 'string') return false
      let stat
      try {
        stat = object(JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as unknown, 'archive')
      } catch {
        throw malformed('archive')
      }
      const mode = number(stat.mode, 'archive')
      const link = typeof stat.linkTarget === 'string' ? stat.linkTarget : ''
      // Go's FileMode: the types are its highest bits (os.ModeDir, os.ModeSymlink).
      const [isFolder, isLink] = [mode >= 2 ** 31, Math.floor(mode / 2 ** 27) % 2 === 1]
      if (!isLink || link === '') return !isFolder && (mode & 0o111) !== 0
      at = link
    }
    return false
  }
}
