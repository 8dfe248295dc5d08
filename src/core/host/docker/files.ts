import { realpathSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerWish, Engine } from '../engine.ts'
import { HostError, isFault } from '../fault.ts'
import type { Files } from '../files.ts'
import { type Aid } from './aid.ts'
import { ensureFolder, fileFault, type Ownership, trueFolder } from './folder.ts'
import { createRuns } from './runs.ts'
import { createStorages } from './storages.ts'
import { createTrusted } from './trusted.ts'

/** Files, and the check that a wish mounts nothing but what is made here. */
export type DockerFiles = Files & { checkMounts(wish: Pick<ContainerWish, 'ownerId' | 'mounts'>): Promise<void> }

type Options = {
  dataDir: string
  instance: string
  engine: Engine
  aid: Aid
  warn: (object: Record<string, unknown>, message: string) => void
}

/** The folders on this machine that its engine's containers mount. Everything is below the data folder, which is 0700. */
export function createFiles({ dataDir, instance, engine, aid, warn }: Options): DockerFiles {
  let made:
    | Promise<{ root: string; runs: ReturnType<typeof createRuns>; storages: ReturnType<typeof createStorages> }>
    | undefined

  /** The container's root as this machine numbers it; undefined where DCM may not give files away. */
  const owner = async (): Promise<Ownership> => {
    if (process.getuid?.() !== 0) return undefined
    const { remap } = await remapped()
    return remap ?? { uid: 0, gid: 0 }
  }
  let info: ReturnType<Engine['info']> | undefined
  const remapped = () => {
    info ??= engine.info().catch((error: unknown) => {
      info = undefined
      throw error
    })
    return info
  }

  const trustedImage = createTrusted(engine, instance)

  const visible = async (path: string): Promise<boolean> => {
    const imageId = await trustedImage()
    if (imageId === undefined) return true
    try {
      // Nothing is started: the engine looks for the folder when it creates.
      return await aid.lend({ imageId, command: ['/dcm'], folder: path }, async () => true)
    } catch (error) {
      if (isFault(error, 'refused')) return false
      throw error
    }
  }

  /** Does with a folder what DCM itself may not, where it is not root: members' files in it are the container's root's. */
  const inside = async (folder: string, command: string[]): Promise<string> => {
    const imageId = await trustedImage()
    if (imageId === undefined) throw new HostError('broken', 'There is no image to look into the folder with.')
    // Not DAC_READ_SEARCH: with it a program opens files of the host by their handles, open_by_handle_at(2).
    const caps = ['DAC_OVERRIDE', 'FOWNER']
    const { code, output } = await aid.run({ imageId, folder, command, caps }, 3_600_000)
    if (code !== 0) throw new HostError('broken', `${command[0]} failed in a container (${code}).`)
    return output
  }
  const clear = async (folder: string) =>
    void (await inside(folder, ['/bin/rm', '-rf', '--one-file-system', '--', '/aid/data', '/aid/volumes']))
  const measure = (folder: string) => inside(folder, ['/usr/bin/du', '-skx', '/aid'])

  const ready = () => {
    made ??= (async () => {
      await ensureFolder(dataDir, 0o700).catch((error: unknown) => {
        // The data folder itself may be reached through links; what is below may not.
        if (!(error instanceof HostError)) throw error
      })
      const root = realpathSync(dataDir)
      const [run, storage, trash] = [join(root, 'run'), join(root, 'storage'), join(root, 'trash')]
      for (const path of [root, run, storage, trash]) await ensureFolder(path, 0o700)
      const storages = createStorages({ root: storage, trash, owner, visible, clear, measure, warn })
      await storages.sweep()
      return { root, runs: createRuns(run, trash, owner), storages }
    })().catch((error: unknown) => {
      made = undefined
      throw fileFault(error, 'Making the data folder')
    })
    return made
  }

  const space = async (path: string): Promise<{ free: number; total: number }> => {
    const found = await statfs(path)
    return { free: found.bavail * found.bsize, total: found.blocks * found.bsize }
  }

  return {
    placeRun: async (folder) => (await ready()).runs.place(folder),
    writeKeys: async (id, keys) => (await ready()).runs.writeKeys(id, keys),
    writeSecrets: async (id, secrets) => (await ready()).runs.writeSecrets(id, secrets),
    removeRun: async (id) => (await ready()).runs.remove(id),
    ensureStorage: async (ownerId, limit) => (await ready()).storages.ensure(ownerId, limit),
    ensureVolume: async (ownerId, id) => (await ready()).storages.ensureVolume(ownerId, id),
    removeVolume: async (ownerId, id) => (await ready()).storages.removeVolume(ownerId, id),
    storage: async (ownerId) => (await ready()).storages.read(ownerId),
    removeStorage: async (ownerId) => (await ready()).storages.remove(ownerId),
    proveQuota: async () => (await ready()).storages.prove(),

    async list() {
      const { runs, storages } = await ready()
      return { runs: await runs.list(), storages: await storages.list() }
    },

    async device(path) {
      try {
        return (await stat(path)).isBlockDevice() ? 'disk' : 'device'
      } catch (error) {
        if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return 'nothing'
        throw fileFault(error, 'Looking at a device')
      }
    },

    async free() {
      try {
        const { root } = await ready()
        const data = await space(root)
        // An engine elsewhere, or a folder that DCM may not see: its own disk is the best that is known.
        const { rootDir } = await remapped()
        const its = await space(rootDir).catch(() => data)
        return { engine: its.free, data: data.free, engineTotal: its.total, dataTotal: data.total }
      } catch (error) {
        throw fileFault(error, 'Looking at the disk')
      }
    },

    async checkMounts({ ownerId, mounts: { run, storage, volumes = [] } }) {
      const { root } = await ready()
      const inside = (path: string, kind: string) => path.startsWith(join(root, kind) + '/')
      if (!inside(run, 'run') || !/^[^/]+$/.test(run.slice(root.length + 5)))
        throw new HostError('refused', "The container's run folder is not DCM's.")
      if (storage !== null && (!inside(storage, 'storage') || !/^[^/]+\/data$/.test(storage.slice(root.length + 9))))
        throw new HostError('refused', "The container's storage is not DCM's.")
      for (const { source } of volumes)
        if (
          !source.startsWith(join(root, 'storage', ownerId, 'volumes') + '/') ||
          !/\/volumes\/[a-z0-9]+$/.test(source)
        )
          throw new HostError('refused', "The container's volume is not its owner's.")
      for (const path of [run, ...(storage === null ? [] : [storage]), ...volumes.map((volume) => volume.source)])
        await trueFolder(path).catch((error: unknown) => Promise.reject(fileFault(error, 'Looking at the mounts')))
    },
  }
}
