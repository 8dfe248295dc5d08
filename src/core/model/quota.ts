import { exactSize, floorSize, formatCpus, formatSize, parseCpus, parseSize } from './units.ts'

/** What a member has a quota of. `running`, `memory`, `cpus` and `pids` count containers that are wanted running or paused. */
export const resources = ['containers', 'running', 'memory', 'cpus', 'pids', 'images', 'ports', 'disk'] as const
export type Resource = (typeof resources)[number]

/** Amounts by resource: memory and disk in bytes, cpus in thousandths of a CPU, the rest are counts. */
export type Quota = Record<Resource, number>

/** What a site gives each member until an admin says otherwise. */
export const defaultQuota: Quota = {
  containers: 10,
  running: 5,
  memory: 4 * 1024 ** 3,
  cpus: 5000,
  pids: 2048,
  images: 10,
  ports: 5,
  disk: 10 * 1024 ** 3,
}

const isSize = (resource: Resource) => resource === 'memory' || resource === 'disk'

/** Reads an amount of a resource in Docker's units. @returns undefined when it is not one. */
export function parseAmount(resource: Resource, text: string): number | undefined {
  if (isSize(resource)) return parseSize(text)
  if (resource === 'cpus') return parseCpus(text)
  return /^\d{1,7}$/.test(text) ? Number(text) : undefined
}

/** An amount of a resource as it is typed, for showing how. */
export const exampleAmount = (resource: Resource): string =>
  isSize(resource) ? '8g' : resource === 'cpus' ? '1.5' : '20'

/** Writes an amount of a resource as people read it: `4g`, `1.5`, `10`. */
export function formatAmount(resource: Resource, amount: number): string {
  if (isSize(resource)) return formatSize(amount)
  return resource === 'cpus' ? formatCpus(amount) : String(amount)
}

/** Writes an amount so that reading it gives the very same: `1536m` where `formatAmount` says `1.5g`. */
export const exactAmount = (resource: Resource, amount: number): string =>
  isSize(resource) ? exactSize(amount) : formatAmount(resource, amount)

/** Writes the largest short amount that is not above this one, for saying what would still fit. */
export const floorAmount = (resource: Resource, amount: number): string =>
  isSize(resource) ? floorSize(amount) : formatAmount(resource, amount)

/** An amount as machines read it: bytes, CPUs (not thousandths), or a count. */
export const plainAmount = (resource: Resource, amount: number): number =>
  resource === 'cpus' ? amount / 1000 : amount
