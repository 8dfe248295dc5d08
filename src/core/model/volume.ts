/** A member's own volume: a folder in their storage's file system that containers of theirs mount where they like. */
export type Volume = { id: string; ownerId: string; hostId: string; name: string; createdAt: Date }

/** A volume as a container has it. The id is what is mounted; a name may come again for another. */
export type Mounted = { id: string; name: string; path: string; readOnly: boolean }

/** A plain absolute path, with no way out of where it leads. */
const plain = /^(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/

/** Where the system is, or what DCM itself mounts or reads. */
const system =
  /^\/(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|proc|root\/\.ssh|run|sbin|storage|sys|usr|var\/run)(?:\/|$)/

/** Whether something may be mounted at this path of a container: nothing there is the system's or DCM's own. */
export const mountable = (path: string): boolean => path.length <= 200 && plain.test(path) && !system.test(path)

/** Whether two of these places are one, or one is inside another. */
export const overlap = (paths: readonly string[]): boolean =>
  paths.some((path, at) => paths.some((other, to) => at !== to && `${path}/`.startsWith(`${other}/`)))

/** Volumes that one container may have. */
export const mostMounted = 16
