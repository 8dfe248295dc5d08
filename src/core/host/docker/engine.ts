import type { Engine, EngineInfo } from '../engine.ts'
import type { Aid } from './aid.ts'
import { createContainers } from './containers.ts'
import { createExec } from './exec.ts'
import { follow } from './events.ts'
import { createForwards } from './forward.ts'
import { gap } from './gap.ts'
import { createImages } from './images.ts'
import { createLook } from './look.ts'
import { createNetworks } from './networks.ts'
import { maybeObject, number, object, string, strings } from './read.ts'
import { createRegistry } from './registry.ts'
import { createTrusted } from './trusted.ts'
import { deadlines, type Wire } from './wire.ts'

/** Where userns-remap is on, the engine keeps its data in a folder named after the first uid and gid. */
export function readRemap(options: readonly string[], rootDir: string): EngineInfo['remap'] {
  if (!options.some((option) => option.split(',').includes('name=userns'))) return null
  const match = /\/(\d+)\.(\d+)\/?$/.exec(rootDir)
  return match ? { uid: Number(match[1]), gid: Number(match[2]) } : { uid: -1, gid: -1 }
}

/** The Engine interface over one engine's API. */
export function createEngine(wire: Wire, aid: Aid, place: { instance: string; bindHost: string }): Engine {
  const ping = async (): Promise<void> => {
    const response = await wire.open('HEAD', ['_ping'], { deadline: deadlines.ping })
    response.resume()
  }

  const info = async (): Promise<EngineInfo> => {
    const [{ body }, { api, engine }] = await Promise.all([
      wire.call('GET', ['info'], { deadline: deadlines.short }),
      wire.version(),
    ])
    const what = 'info'
    const item = object(body, what)
    const options = strings(item.SecurityOptions)
    const rootDir = string(item.DockerRootDir, what)
    const pools = Array.isArray(item.DefaultAddressPools) ? item.DefaultAddressPools.map(maybeObject) : []
    return {
      version: engine,
      api,
      cpus: number(item.NCPU, what),
      memory: number(item.MemTotal, what),
      storageDriver: string(item.Driver, what),
      cgroup: typeof item.CgroupVersion === 'string' ? item.CgroupVersion : '1',
      remap: readRemap(options, rootDir),
      seccomp: options.some((option) => option.startsWith('name=seccomp') && !option.includes('profile=unconfined')),
      ...(typeof item.SystemTime === 'string' && !Number.isNaN(Date.parse(item.SystemTime))
        ? { now: new Date(item.SystemTime) }
        : {}),
      liveRestore: item.LiveRestoreEnabled === true,
      rootDir,
      defaultAddressPools: pools.flatMap((pool) =>
        typeof pool.Base === 'string' && typeof pool.Size === 'number' ? [{ base: pool.Base, size: pool.Size }] : [],
      ),
    }
  }

  const images = createImages(wire, place.instance, aid)

  return {
    ping,
    info,
    ...createContainers(wire, place),
    exec: createExec(wire),
    ...createLook(wire),
    ...images,
    ...createRegistry(wire, images),
    ...createForwards(wire, place, createTrusted(images, place.instance)),
    ...createNetworks(wire, place.instance),
    gap: (since) => gap(wire, place.instance, since),
    events: (signal, ready) => follow(wire, place.instance, ping, signal, ready),
  }
}
