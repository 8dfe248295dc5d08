/**
 * What a container of DCM's is called in the engine, by the id of the operation that makes it: so it is found again after
 * a crash. Nothing of a member's is in it, and `host/docker/names.ts` refuses any other.
 */
export const engineNameOf = (instance: string, id: string): string => `dcm-${instance}-${id}`

/** The tag that keeps an image in the engine for as long as DCM has it, likewise. */
export const engineRefOf = (instance: string, id: string): string => `dcm/${instance}/${id}:latest`
