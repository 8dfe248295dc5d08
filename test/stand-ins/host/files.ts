import { HostError } from '../../../src/core/host/fault.ts'
import type { Files } from '../../../src/core/host/files.ts'
import type { World } from './state.ts'

/** The folders of a fake host. */
export function createFiles({ state, devices, runs, storages, volumes }: World): Files {
  return {
    async placeRun(folder) {
      runs.set(folder.id, { ...folder })
      return `/fake/run/${folder.id}`
    },
    async writeKeys(id, authorizedKeys) {
      const folder = runs.get(id)
      if (!folder) throw new HostError('gone', 'The container has no run folder.')
      folder.authorizedKeys = authorizedKeys
    },
    async writeSecrets(id, secrets) {
      const folder = runs.get(id)
      if (!folder) throw new HostError('gone', 'The container has no run folder.')
      folder.secrets = { ...secrets }
    },
    removeRun: async (id) => void runs.delete(id),
    async ensureStorage(ownerId, limit) {
      const storage = storages.get(ownerId) ?? { limit, used: 0 }
      storage.limit = Math.max(storage.limit, limit)
      storages.set(ownerId, storage)
      return { path: `/fake/storage/${ownerId}/data`, hard: true, ...storage }
    },
    storage: async (ownerId) => {
      const storage = storages.get(ownerId)
      return storage && { path: `/fake/storage/${ownerId}/data`, hard: true, ...storage }
    },
    async ensureVolume(ownerId, id) {
      if (!storages.has(ownerId))
        throw new HostError('refused', 'A folder that the container needs is missing on the host.')
      const path = `/fake/storage/${ownerId}/volumes/${id}`
      volumes.add(path)
      return path
    },
    removeVolume: async (ownerId, id) => void volumes.delete(`/fake/storage/${ownerId}/volumes/${id}`),
    async removeStorage(ownerId) {
      storages.delete(ownerId)
      for (const path of volumes) if (path.startsWith(`/fake/storage/${ownerId}/`)) volumes.delete(path)
    },
    list: async () => ({ runs: [...runs.keys()], storages: [...storages.keys()] }),
    device: async (path) => devices.get(path) ?? 'device',
    free: async () => ({ ...state.free }),
    proveQuota: async () => ({
      hard: true,
      why: 'Each storage is a file system of its own; a write past its end was refused.',
    }),
  }
}
