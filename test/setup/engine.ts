import { randomInt } from 'node:crypto'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

/** The socket of the engine that tests share; they may not stop it, nor touch what is not theirs. */
export const sharedSocket = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')

/** Sends one request to an engine and gives its answer as a stream. */
export function open(
  socket: string,
  method: string,
  path: string,
  body?: object | Readable,
  type = 'application/json',
): Promise<IncomingMessage> {
  return new Promise((answered, failed) => {
    const headers = body === undefined ? {} : { 'content-type': type }
    const ask = request({ socketPath: socket, method, path: `/v1.41${path}`, headers, agent: false }, answered)
    ask.on('error', failed)
    if (body && 'pipe' in body) body.pipe(ask)
    else ask.end(body && JSON.stringify(body))
  })
}

/** Asks an engine directly, past DCM; for what a test sets up and looks at. @throws with the engine's words */
export async function ask<T = unknown>(socket: string, method: string, path: string, body?: object): Promise<T> {
  const answer = await open(socket, method, path, body)
  const said = await text(answer)
  if ((answer.statusCode ?? 500) >= 400) throw new Error(`${method} ${path}: ${answer.statusCode} ${said}`)
  return (said === '' ? undefined : JSON.parse(said)) as T
}

/** A DCM instance id that no one else uses, and the removal of all that was made under it. */
export type Instance = AsyncDisposable & {
  id: string
  /** Names of the engine objects that this instance has now; empty when nothing is left over. */
  left(): Promise<string[]>
}

/** Claims an instance id on an engine for one test file. */
export function claimInstance(socket = sharedSocket): Instance {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  const id = Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join('')
  const own = (names: string[] | null | undefined) =>
    (names ?? []).filter((name) => name.includes(`dcm-${id}-`) || name.startsWith(`dcm/${id}/`))

  const find = async () => {
    const [containers, networks, images, volumes] = await Promise.all([
      ask<{ Id: string; Names: string[]; Labels: Record<string, string> }[]>(socket, 'GET', '/containers/json?all=1'),
      ask<{ Id: string; Name: string; Labels: Record<string, string> }[]>(socket, 'GET', '/networks'),
      ask<{ RepoTags: string[] | null }[]>(socket, 'GET', '/images/json'),
      ask<{ Volumes: { Name: string }[] | null }>(socket, 'GET', '/volumes'),
    ])
    const labelled = (thing: { Labels: Record<string, string> | null }) => thing.Labels?.['dcm.instance'] === id
    return {
      containers: containers.filter((one) => labelled(one) || own(one.Names).length > 0),
      networks: networks.filter((one) => labelled(one) || own([one.Name]).length > 0),
      tags: images.flatMap((one) => own(one.RepoTags)),
      volumes: (volumes.Volumes ?? []).map((one) => one.Name).filter((name) => own([name]).length > 0),
    }
  }

  return {
    id,
    left: async () => {
      const found = await find()
      return [
        ...found.containers.flatMap((one) => one.Names),
        ...found.networks.map((one) => one.Name),
        ...found.tags,
        ...found.volumes,
      ]
    },
    [Symbol.asyncDispose]: async () => {
      const found = await find()
      const gone = (path: string) => ask(socket, 'DELETE', path).catch(() => {})
      for (const one of found.containers) await gone(`/containers/${one.Id}?force=1&v=1`)
      for (const one of found.networks) await gone(`/networks/${one.Id}`)
      for (const tag of found.tags) await gone(`/images/${tag}`)
      for (const name of found.volumes) await gone(`/volumes/${name}`)
    },
  }
}
