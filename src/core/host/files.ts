/** Where the folder of a container's volume is mounted, by their order; the place that it was given leads there. */
export const volumeAt = (at: number): string => `/run/dcm/volumes/${at}`

/** What a container mounts read-only at `/run/dcm`. The private key is in OpenSSH's format; secrets are by file name. */
export type RunFolder = {
  id: string
  hostKey: string
  authorizedKeys: string
  secrets?: Record<string, string>
  /** Where inside the volumes are looked for, in the order in which the container mounts them. */
  volumes?: readonly string[]
}

/** A member's storage. `hard`: a file system of its own, which cannot grow past `limit`. */
export type Storage = { path: string; hard: boolean; limit: number; used: number }

/** The folders on the host that containers mount. Nothing a member makes in them is followed, executed or trusted. */
export type Files = {
  /** Makes or renews a container's `/run/dcm`: sshd's configuration, entry program, host key and authorized keys. @returns its path */
  placeRun(folder: RunFolder): Promise<string>
  /** Replaces the authorized keys of a container, at once for the next login. @throws HostError `gone` when it has no run folder */
  writeKeys(id: string, authorizedKeys: string): Promise<void>
  /** Makes the files in a container's `/run/dcm/secrets` these and no others, at once. @throws HostError `gone` when it has no run folder */
  writeSecrets(id: string, secrets: Record<string, string>): Promise<void>
  removeRun(id: string): Promise<void>
  /** Makes or grows a member's storage. @returns the folder that containers mount */
  ensureStorage(ownerId: string, limit: number): Promise<Storage>
  /** Makes a folder in a member's storage that no container of theirs sees unless it mounts it. The storage is there by then. @returns its path */
  ensureVolume(ownerId: string, id: string): Promise<string>
  /** Removes such a folder with all it holds; already gone is success. */
  removeVolume(ownerId: string, id: string): Promise<void>
  /** Undefined when the member has none. */
  storage(ownerId: string): Promise<Storage | undefined>
  /** Removes a member's storage with all it holds; already gone is success. */
  removeStorage(ownerId: string): Promise<void>
  /** Ids found on disk, so that leftovers can be told. */
  list(): Promise<{ runs: string[]; storages: string[] }>
  /** What is at a path below `/dev`, links followed. */
  device(path: string): Promise<'device' | 'disk' | 'nothing'>
  /** Bytes free where containers and storages live. */
  free(): Promise<{ engine: number; data: number; engineTotal: number; dataTotal: number }>
  /** Makes a small storage, writes past its limit and says what happened. */
  proveQuota(): Promise<{ hard: boolean; why: string }>
}
