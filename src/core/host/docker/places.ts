/** Where a folder of a container's run folder is inside it. */
export const inside = (folder: string): string => `/run/dcm/${folder}`

/** The folder of the run folder that a container's storage is mounted on. */
export const storageFolder = 'storage'

/** The same for its volumes, by their order: one may be mounted at two places. */
export const volumeFolder = (at: number): string => `volumes/${at}`
