import { type Credential, formatRemote, type Remote } from '../../model/registry.ts'
import type { Moved } from '../engine.ts'
import { HostError } from '../fault.ts'
import { labels } from './create.ts'
import { tidy } from './fault.ts'
import { fullImage, imageRef } from './names.ts'
import type { createImages } from './images.ts'
import { array, maybeObject, object, string } from './read.ts'
import { deadlines, type Wire } from './wire.ts'
import { jsonLines } from './stream.ts'

/** What Docker Hub is called where a password goes. Docker docs, Engine API, "Authentication". */
const server = (registry: string) => (registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry)

/** The header by which a credential goes with one call; the engine keeps none. It wants padding. Go, base64.URLEncoding. */
function authorization(registry: string, credential: Credential | null): Record<string, string> {
  const auth =
    credential === null
      ? {}
      : 'password' in credential
        ? { username: credential.username, password: credential.password, serveraddress: server(registry) }
        : { identitytoken: credential.identityToken, serveraddress: server(registry) }
  const text = Buffer.from(JSON.stringify(auth)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
  return { 'x-registry-auth': text }
}

/** What a registry or the way to it answered, without the URLs and resolvers of this machine. */
const words = (text: string): string =>
  tidy(
    text
      .replace(/^(?:Error response from daemon: )?(?:Get|Head|Post|Put|Patch) "?https?:\/\/[^\s"]*"?: /i, '')
      .replace(/ on [0-9a-f.:[\]]+:53\b/, ''),
  )

/** Whatever a call about a registry failed with, with the registry's own words beside the operator's. */
function said(error: unknown): never {
  if (error instanceof HostError && error.fault !== 'down') {
    const reason = /with \d{3}: (.*)\.$/s.exec(error.message)?.[1]
    throw new HostError(error.fault === 'full' ? 'full' : 'refused', error.message, {
      ...{ status: error.status, cause: error },
      reason: words(reason ?? error.message),
    })
  }
  throw error
}

/** Images that come from registries and go there. The engine does the talking, with what is sent along for that call. */
export function createRegistry(wire: Wire, images: ReturnType<typeof createImages>) {
  /** Reads how far it is, until it ends or fails. Layers are told one by one; what counts is their sum. */
  async function follow(
    response: Parameters<typeof jsonLines>[0],
    doing: RegExp,
    progress: (moved: Moved) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const layers = new Map<string, Moved>()
    for await (const value of jsonLines(response, deadlines.buildIdle, 'a registry', signal)) {
      const item = object(value, 'a registry')
      if (typeof item.error === 'string')
        throw new HostError(/no space left/i.test(item.error) ? 'full' : 'refused', `It failed: ${tidy(item.error)}.`, {
          reason: words(item.error),
        })
      const { current, total } = maybeObject(item.progressDetail)
      if (typeof item.id !== 'string' || typeof item.status !== 'string' || !doing.test(item.status)) continue
      if (typeof current !== 'number' || layers.size > 1000) continue
      layers.set(item.id, { done: current, all: Math.max(current, typeof total === 'number' ? total : 0) })
      const sum = { done: 0, all: 0 }
      for (const layer of layers.values()) [sum.done, sum.all] = [sum.done + layer.done, sum.all + layer.all]
      progress(sum)
    }
  }

  /** Takes a name of a registry's off an image, unless it names another by now. */
  async function release(remote: Remote, engineId: string): Promise<void> {
    const name = imageRef(formatRemote(remote))
    if ((await images.image(name))?.engineId !== fullImage(engineId)) return
    await wire.call('DELETE', ['images', ...name.split('/')], {
      ...{ deadline: deadlines.start, pool: 'long', allow: [404, 409] },
    })
  }

  return {
    release,

    async login(registry: string, credential: { username: string; password: string }): Promise<Credential> {
      const body = { ...credential, serveraddress: server(registry) }
      const answer = await wire.call('POST', ['auth'], { body, deadline: deadlines.start, pool: 'long' }).catch(said)
      const token = maybeObject(answer.body).IdentityToken
      return typeof token === 'string' && token !== '' ? { identityToken: token } : credential
    },

    async resolve(remote: Remote, credential: Credential | null): Promise<{ digest: string; platforms: string[] }> {
      const path = ['distribution', ...imageRef(formatRemote(remote)).split('/'), 'json']
      const headers = authorization(remote.registry, credential)
      const { body } = await wire.call('GET', path, { headers, deadline: deadlines.start, pool: 'long' }).catch(said)
      const answer = object(body, 'a registry')
      const digest = string(object(answer.Descriptor, 'a registry').digest, 'a registry')
      if (!/^sha256:[0-9a-f]{64}$/.test(digest))
        throw new HostError('refused', 'The registry gave no digest.', { reason: 'it gives no sha256 digest' })
      const platforms = array(answer.Platforms ?? [], 'a registry').map(maybeObject)
      return { digest, platforms: platforms.map((one) => `${String(one.os)}/${String(one.architecture)}`) }
    },

    async pull(
      remote: Remote & { digest: string },
      credential: Credential | null,
      progress: (moved: Moved) => void,
      signal?: AbortSignal,
    ) {
      // By digest alone, so that no name that others use on this engine moves to it.
      const name = imageRef(formatRemote(remote))
      const response = await wire
        .open('POST', ['images', 'create'], {
          query: { fromImage: `${remote.registry}/${remote.path}`, tag: remote.digest },
          headers: authorization(remote.registry, credential),
          ...{ deadline: deadlines.start, pool: 'long', signal },
        })
        .catch(said)
      await follow(response, /^Downloading/, progress, signal)
      const image = await images.image(name)
      if (!image) throw new HostError('gone', `The engine has no image ${name}.`)
      // What DCM goes by must come from DCM alone.
      if (Object.values(labels).some((label) => (image.labels[label] ?? '') !== ''))
        throw new HostError('refused', 'The image carries labels of DCM.', {
          reason: "the image carries DCM's own labels, which only DCM may set",
        })
      return image
    },

    async push(
      engineId: string,
      remote: Remote & { tag: string },
      credential: Credential | null,
      progress: (moved: Moved) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      const name = imageRef(formatRemote({ ...remote, digest: null }))
      const repo = `${remote.registry}/${remote.path}`
      const there = await images.image(name)
      if (there && there.engineId !== engineId)
        throw new HostError('taken', `The engine has another image called ${name}.`)
      const query = { repo, tag: remote.tag }
      await wire.call('POST', ['images', fullImage(engineId), 'tag'], { query, deadline: deadlines.short })
      const response = await wire
        .open('POST', ['images', ...repo.split('/'), 'push'], {
          ...{ query: { tag: remote.tag }, headers: authorization(remote.registry, credential) },
          ...{ deadline: deadlines.start, pool: 'long', signal },
        })
        .catch(said)
      await follow(response, /^Pushing/, progress, signal)
    },
  }
}
