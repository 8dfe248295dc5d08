import { createHash } from 'node:crypto'
import type { Anatomy } from '../../../src/core/model/image.ts'
import { type Credential, formatRemote, type Remote } from '../../../src/core/model/registry.ts'
import { ownTag as readTag } from '../../../src/core/host/docker/names.ts'
import type { CommitOptions, Engine, SeenImage } from '../../../src/core/host/engine.ts'
import { HostError } from '../../../src/core/host/fault.ts'
import { type FakeImage, type FakeRegistry, gone, hex, type World } from './state.ts'

/** The images of a fake engine, and the registries that it reaches. */
export function createImages({ instance, containers, images, tags, registries, must }: World) {
  const mustImage = (ref: string): FakeImage => {
    const image = images.get(tags.get(ref) ?? ref)
    if (!image) throw gone('image')
    return image
  }

  const seenImage = (image: SeenImage): SeenImage => {
    const { engineId, size, layers, env, labels, volumes, entrypoint, command } = image
    return structuredClone({ engineId, size, layers, env, labels, volumes, entrypoint, command })
  }

  const ownTag = (ref: string) => {
    const { repo, tag } = readTag(instance, ref)
    return `${repo}:${tag}`
  }

  const anatomyOf = (image: FakeImage): Anatomy =>
    structuredClone({
      ...{ os: 'linux', arch: 'amd64', user: '', folder: '', exposes: [], triggers: 0, createdAt: new Date(0) },
      env: image.env.map((entry) => entry.split('=', 1)[0]!),
      ...{ entrypoint: image.entrypoint, command: image.command, labels: image.labels },
      chain: Array.from({ length: image.layers }, (_, at) => `${image.engineId}-${at}`),
      ...image.inside,
    })

  const drop = (imageId: string) => {
    if ([...tags.values()].includes(imageId)) return
    images.delete(imageId)
  }

  const makeImage = (given: Partial<FakeImage>): FakeImage => ({
    ...{ engineId: `sha256:${hex()}`, size: 100 * 2 ** 20, layers: 2, env: [], labels: {}, volumes: [] },
    ...{ entrypoint: [], command: ['bash'], has: ['/usr/sbin/sshd'], inside: {} },
    ...given,
  })

  const beyond = (status: number, reason: string) =>
    new HostError('refused', `The engine answered with ${status}: ${reason}.`, { status, reason })

  /** A registry as it is to whoever comes with this credential. */
  const admitted = (host: string, credential: Credential | null): FakeRegistry => {
    const registry = registries.get(host)
    if (!registry) throw beyond(500, 'connect: connection refused')
    const { account } = registry
    const known = credential !== null && 'password' in credential && credential.password === account?.password
    if (account && !(known && credential.username === account.username))
      throw beyond(401, 'unauthorized: authentication required')
    return registry
  }

  const sent = (remote: Remote, registry: FakeRegistry) => {
    const found = [...registry.images].find(([name, { digest }]) =>
      remote.digest ? digest === remote.digest : name === `${remote.path}:${remote.tag}`,
    )
    if (!found) throw beyond(404, 'manifest unknown')
    return found[1]
  }

  const addImage = (
    ref: string,
    { has = ['/usr/sbin/sshd'], inside = {}, ...given }: Partial<FakeImage> = {},
  ): SeenImage => {
    const image = makeImage({ ...given, has, inside })
    images.set(image.engineId, image)
    tags.set(ref, image.engineId)
    return seenImage(image)
  }

  const methods = {
    async commit(engineId, { ref, blankEnv, config }: CommitOptions) {
      const container = must(engineId)
      const tag = ownTag(ref)
      const base = images.get(container.imageId)
      const env = [...(base?.env ?? []), ...container.wish.env].map((entry) => {
        const name = entry.slice(0, entry.indexOf('='))
        return blankEnv.includes(name) ? `${name}=` : entry
      })
      const before = tags.get(tag)
      const layers = (base?.layers ?? 0) + 1
      const size = (base?.size ?? 0) + container.written
      const image = addImage(tag, {
        size,
        layers: layers > 110 ? 1 : layers,
        env,
        // As the real one has to say it: neither can be left empty.
        entrypoint: config?.entrypoint.length ? config.entrypoint : ['/usr/bin/env'],
        command: config && config.entrypoint.length + config.command.length > 0 ? config.command : ['/bin/sh'],
        has: base?.has ?? [],
        inside: layers > 110 ? {} : { chain: [...(base ? anatomyOf(base).chain : []), `sha256:${hex()}`] },
      })
      if (before !== undefined) drop(before)
      return image
    },

    image: async (ref) => {
      const image = images.get(tags.get(ref) ?? tags.get(`${ref}:latest`) ?? ref)
      return image && seenImage(image)
    },
    inside: async (engineId) => anatomyOf(mustImage(engineId)),
    async login(registry, credential) {
      admitted(registry, credential)
      return credential
    },
    async resolve(remote, credential) {
      return { digest: sent(remote, admitted(remote.registry, credential)).digest, platforms: ['linux/amd64'] }
    },
    async pull(remote, credential, progress, signal) {
      const { image } = sent(remote, admitted(remote.registry, credential))
      for (const done of [image.size / 2, image.size]) {
        progress({ done, all: image.size })
        if (signal?.aborted) throw new HostError('down', 'Reading a registry was given up.')
      }
      if (!images.has(image.engineId)) images.set(image.engineId, { ...image })
      tags.set(formatRemote(remote), image.engineId)
      if (Object.entries(image.labels).some(([name, value]) => name.startsWith('dcm.') && value !== ''))
        throw beyond(500, "the image carries DCM's own labels, which only DCM may set")
      return seenImage(image)
    },
    async push(engineId, remote, credential, progress) {
      const name = formatRemote({ ...remote, digest: null })
      const image = mustImage(engineId)
      if ((tags.get(name) ?? engineId) !== engineId)
        throw new HostError('taken', `The engine has another image called ${name}.`)
      tags.set(name, engineId)
      progress({ done: image.size, all: image.size })
      const digest = `sha256:${createHash('sha256').update(engineId).digest('hex')}`
      admitted(remote.registry, credential).images.set(`${remote.path}:${remote.tag}`, { digest, image: { ...image } })
    },
    async release(remote, engineId) {
      const name = formatRemote(remote)
      if (tags.get(name) !== engineId) return
      tags.delete(name)
      drop(engineId)
    },
    imageTags: async () =>
      [...tags].filter(([ref]) => ref.startsWith(`dcm/${instance}/`)).map(([ref, engineId]) => ({ ref, engineId })),
    tag: async (engineId, ref) => {
      mustImage(engineId)
      tags.set(ownTag(ref), engineId)
    },

    async untag(ref) {
      const tag = ownTag(ref)
      const imageId = tags.get(tag)
      if (imageId === undefined) return
      const last = [...tags.values()].filter((other) => other === imageId).length === 1
      if (last && [...containers.values()].some((container) => container.imageId === imageId))
        throw new HostError('taken', 'A container is using the image.', { status: 409 })
      tags.delete(tag)
      drop(imageId)
    },

    async build(folder, ref, say, { fresh = false } = {}) {
      const tag = ownTag(ref)
      say(`Building ${tag}`)
      // The same folder gives the same image, as the engine's cache does.
      const engineId = fresh ? `sha256:${hex()}` : `sha256:${createHash('sha256').update(folder).digest('hex')}`
      return addImage(tag, { engineId })
    },

    imageHas: async (engineId, paths) => paths.some((path) => mustImage(engineId).has.includes(path)),
  } satisfies Partial<Engine>

  return { methods, mustImage, makeImage, addImage }
}

export type Images = ReturnType<typeof createImages>
