import type { Anatomy } from '../../model/image.ts'
import type { SeenImage } from '../engine.ts'
import { HostError } from '../fault.ts'
import type { Aid } from './aid.ts'
import { createCommit } from './commit.ts'
import { labels } from './create.ts'
import { malformed } from './fault.ts'
import { fullImage, imageId, imageRef, ownTag } from './names.ts'
import { packFolder } from './pack.ts'
import { readProgress } from './progress.ts'
import { array, maybeObject, number, object, string, stringMap, strings } from './read.ts'
import { deadlines, type Wire } from './wire.ts'

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

  return {
    image: look,
    untag,

    async inside(engineId: string): Promise<Anatomy> {
      const path = ['images', fullImage(engineId), 'json']
      return readInside((await wire.call('GET', path, { deadline: deadlines.short })).body)
    },

    imageTags,
    commit: createCommit(wire, instance, aid, { image: look, must, untag, imageTags }),

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
