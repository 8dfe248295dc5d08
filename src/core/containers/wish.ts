import type { ContainerWish } from '../host/engine.ts'
import { type Container, foundAs } from '../model/container.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { effective } from '../policy/quota.ts'
import { readGrants, siteQuota } from './admit.ts'
import { placeRun } from './runfolder.ts'

/** Bytes that a member's storage may grow to. */
export async function diskLimit(works: Pick<Works, 'store'>, ownerId: string): Promise<number> {
  const [person, grants, site, groups] = await Promise.all([
    works.store.people.byId(ownerId),
    works.store.grants.of(ownerId),
    siteQuota(works.store),
    works.store.groups.of(ownerId),
  ])
  return effective({ site, groups, member: person?.quota ?? {}, grants: readGrants(grants) }).disk.limit
}

/** What the engine is asked for, out of what the database says: the same after a crash, and for every way to make a container. */
export async function wishFor(
  works: Works,
  container: Container,
  network: string,
  imageEngineId?: string,
): Promise<ContainerWish> {
  const { store } = works
  const host = works.host(container.hostId)
  const { spec } = container
  const working = [
    store.containers.row(container.id),
    spec.devices.length > 0 ? store.site.devices() : Promise.resolve([]),
    spec.seccomp === null ? Promise.resolve([]) : store.site.seccomps(),
    (async () => {
      const storage = await host.files.ensureStorage(container.ownerId, await diskLimit(works, container.ownerId))
      const volumes = []
      for (const { id, path, readOnly } of spec.volumes ?? [])
        volumes.push({ source: await host.files.ensureVolume(container.ownerId, id), path, readOnly })
      return { storage: spec.storage === false ? null : storage.path, ...(volumes.length > 0 ? { volumes } : {}) }
    })(),
    placeRun({ ...works, host }, container.id),
  ] as const
  // Also when one fails: a folder that is made after the failure was undone would stay, with a host key in it.
  await Promise.allSettled(working)
  const [row, devices, seccomps, mounts, run] = await Promise.all(working)
  const aliases = foundAs(container, spec.network?.id ?? container.ownerId).slice(1)
  return {
    engineName: container.engineName,
    id: container.id,
    ownerId: container.ownerId,
    name: container.name,
    ...(aliases.length > 0 ? { aliases } : {}),
    network,
    imageId: imageEngineId ?? row!.imageEngineId,
    env: spec.env,
    command: spec.command,
    restart: spec.restart,
    limits: container.limits,
    caps: spec.caps,
    devices: spec.devices.map((name) => {
      const device = devices.find((known) => known.name === name)
      if (!device) throw new DcmError('conflict', `The device ${name} is no longer on the admins' list.`)
      return device.path
    }),
    seccomp:
      spec.seccomp === null
        ? null
        : (seccomps.find((known) => known.name === spec.seccomp)?.json ?? missing(spec.seccomp)),
    ports: container.ports.map(({ container: inside, proto, host: outside }) => ({
      container: inside,
      proto,
      host: outside,
    })),
    mounts: { run, ...mounts },
    ssh: container.ssh,
  }
}

function missing(name: string): never {
  throw new DcmError('conflict', `The seccomp profile ${name} is no longer on the admins' list.`)
}
