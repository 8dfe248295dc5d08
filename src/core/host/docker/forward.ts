import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ForwardWish } from '../engine.ts'
import { HostError, isFault } from '../fault.ts'
import { labels } from './create.ts'
import { containerRef, fullId, fullImage, networkName } from './names.ts'
import { array, object, string, stringMap, strings } from './read.ts'
import { deadlines, type Wire } from './wire.ts'

/** What runs in a forwarder, given to perl as it is: Debian's smallest system has perl, so that nothing is installed. */
const program = readFileSync(join(import.meta.dirname, 'forward.pl'), 'utf8')

/** Where it listens inside: any number does, for nobody else is there. */
const inside = 5000
const mebi = 1024 ** 2

const port = (value: number, what: string): number => {
  if (Number.isInteger(value) && value >= 1 && value <= 65535) return value
  throw new HostError('refused', `${what} is out of range.`)
}

/** The address of this machine that a port binds to. */
const address = (reach: ForwardWish['reach'], bindHost: string): string =>
  reach === 'me' ? '127.0.0.1' : reach === 'public' ? '0.0.0.0' : bindHost

/** The body of its create request: it sees no file of the host and may nothing but hand on bytes. */
export function forwardBody(wish: ForwardWish, place: { instance: string; bindHost: string }, imageId: string) {
  if (wish.proto !== 'tcp' && wish.proto !== 'udp') throw new HostError('refused', 'A port is tcp or udp.')
  const listens = `${inside}/${wish.proto}`
  const body = {
    Hostname: 'port',
    Image: fullImage(imageId),
    User: '65534:65534',
    WorkingDir: '/',
    Env: ['PATH=/usr/bin:/bin', 'LD_PRELOAD=', 'LD_LIBRARY_PATH=', 'PERL5OPT=', 'PERL5LIB='],
    Entrypoint: ['/usr/bin/perl', '-e', program],
    Cmd: [wish.proto, String(inside), containerRef(wish.target), String(port(wish.container, 'A port'))],
    // Not the label by which members' containers are told: no list of them, and no event, has it.
    Labels: {
      [labels.instance]: '',
      [labels.owner]: wish.ownerId,
      [labels.id]: '',
      [labels.wish]: '',
      [labels.aid]: '',
      [labels.built]: '',
      [labels.port]: place.instance,
      [labels.target]: wish.target,
    },
    ExposedPorts: { [listens]: {} },
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGTERM',
    HostConfig: {
      NetworkMode: networkName(wish.network),
      PortBindings: {
        [listens]: [{ HostIp: address(wish.reach, place.bindHost), HostPort: String(port(wish.host, 'A host port')) }],
      },
      // It comes back with the engine, also while DCM is down.
      RestartPolicy: { Name: 'always' },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      CgroupnsMode: 'private',
      IpcMode: 'none',
      Memory: 64 * mebi,
      MemorySwap: 64 * mebi,
      NanoCpus: 500_000_000,
      // It is one process itself; those of the runtime, while it starts, count too, and end where they get no thread.
      PidsLimit: 32,
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: 1024, Hard: 1024 },
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
      // The engine's own DNS knows the network's names, and is asked for nothing else.
      Dns: ['127.0.0.1'],
      DnsOptions: ['timeout:1', 'attempts:1'],
    },
  }
  body.Labels[labels.wish] = createHash('sha256')
    .update(JSON.stringify({ ...body, Image: '' }))
    .digest('hex')
    .slice(0, 32)
  return body
}

type Found = { id: string; labels: Record<string, string>; running: boolean }

/** The forwarders of one engine. `image`: one with perl whose programs may be trusted. */
export function createForwards(
  wire: Wire,
  place: { instance: string; bindHost: string },
  image: () => Promise<string | undefined>,
) {
  const prefix = `dcm-${place.instance}-port-`
  const own = (name: string): string => {
    if (!containerRef(name).startsWith(prefix)) throw new HostError('refused', 'The forwarder is not of this instance.')
    return name
  }

  const look = async (name: string): Promise<Found | undefined> => {
    const { status, body } = await wire.call('GET', ['containers', name, 'json'], {
      deadline: deadlines.short,
      allow: [404],
    })
    if (status === 404) return undefined
    const what = 'inspect'
    const item = object(body, what)
    if (string(item.Name, what) !== `/${name}`) return undefined
    const found = {
      id: string(item.Id, what),
      labels: stringMap(object(item.Config, what).Labels),
      running: object(item.State, what).Running === true,
    }
    if (!fullId.test(found.id) || found.labels[labels.port] !== place.instance)
      throw new HostError('taken', `The name ${name} is another's.`, { status: 409 })
    return found
  }

  const remove = async (id: string): Promise<void> => {
    const ask = { query: { force: 1, v: 1 }, deadline: deadlines.start, allow: [404] }
    for (let tries = 0; ; tries++) {
      const { status } = await wire.call('DELETE', ['containers', id], { ...ask, allow: [404, 409], pool: 'long' })
      // Another removal is under way; it is over when the container is.
      if (status !== 409 || tries >= 60) return
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }

  const start = async (id: string): Promise<void> => {
    const ask = { deadline: deadlines.start, pool: 'long' as const, allow: [304] }
    try {
      await wire.call('POST', ['containers', id, 'start'], ask)
    } catch (error) {
      // All of it is DCM's own, so a runtime that said no has had an accident, and is asked once more.
      if (!isFault(error, 'refused')) throw error
      await wire.call('POST', ['containers', id, 'start'], ask)
    }
  }

  const make = async (name: string, body: ReturnType<typeof forwardBody>): Promise<void> => {
    const ask = { query: { name }, body, deadline: deadlines.start, pool: 'long' as const }
    const { body: answer } = await wire.call('POST', ['containers', 'create'], ask)
    const id = string(object(answer, 'create').Id, 'create')
    if (!fullId.test(id)) throw new HostError('broken', 'The engine gave no id.')
    try {
      await start(id)
    } catch (error) {
      // What could not take its port must not wait for it with a restart policy.
      await remove(id).catch(() => undefined)
      throw error
    }
  }

  return {
    async forward(wish: ForwardWish): Promise<void> {
      const name = own(wish.engineName)
      const found = await look(name)
      const imageId = await image()
      if (imageId === undefined)
        throw new HostError('refused', "There is no image of DCM's own to hand on a port with.")
      const body = forwardBody(wish, place, imageId)
      if (found?.labels[labels.wish] === body.Labels[labels.wish]) {
        if (!found.running) await start(found.id)
        return
      }
      if (found) await remove(found.id)
      try {
        await make(name, body)
      } catch (error) {
        // Two made it in the same moment: one of them has.
        if (!(error instanceof HostError && error.status === 409)) throw error
        const other = await look(name)
        if (other?.labels[labels.wish] !== body.Labels[labels.wish]) throw error
        await start(other!.id)
      }
    },

    async forwards(): Promise<{ engineName: string; target: string; running: boolean }[]> {
      const filters = JSON.stringify({ label: [`${labels.port}=${place.instance}`] })
      const { body } = await wire.call('GET', ['containers', 'json'], {
        query: { all: 1, filters },
        deadline: deadlines.short,
      })
      const what = 'the list of forwarders'
      return array(body, what)
        .map((value) => object(value, what))
        .map((item) => ({
          engineName: (strings(item.Names)[0] ?? '').replace(/^\//, ''),
          target: stringMap(item.Labels)[labels.target] ?? '',
          running: item.State === 'running',
        }))
        .filter((one) => one.engineName.startsWith(prefix))
    },

    async unforward(engineName: string): Promise<void> {
      const found = await look(own(engineName))
      if (found) await remove(found.id)
    },
  }
}
