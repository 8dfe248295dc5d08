import type { Grant } from '../model/grant.ts'
import { floorAmount, formatAmount, type Quota, type Resource, resources } from '../model/quota.ts'

/** Which rule a limit comes from. */
export type Source = 'site' | 'member' | 'grant'

/** What holds for a member now, by resource. */
export type Limit = { limit: number; from: Source }

/** The site's default, unless the member has a quota of their own, unless a grant in force gives more. */
export function effective(site: Quota, member: Partial<Quota>, grants: readonly Grant[]): Record<Resource, Limit> {
  const limits = {} as Record<Resource, Limit>
  for (const resource of resources) {
    const own = member[resource]
    let best: Limit = own === undefined ? { limit: site[resource], from: 'site' } : { limit: own, from: 'member' }
    for (const grant of grants)
      if (grant.kind === 'quota' && grant.resource === resource && grant.amount > best.limit)
        best = { limit: grant.amount, from: 'grant' }
    limits[resource] = best
  }
  return limits
}

const words: Record<Resource, string> = {
  containers: 'containers',
  running: 'running containers',
  memory: 'of memory for running containers',
  cpus: 'CPUs for running containers',
  pids: 'processes in running containers',
  images: 'images',
  ports: 'public ports',
  disk: 'of disk',
}

const flags: Partial<Record<Resource, string>> = { memory: '-m', cpus: '--cpus', pids: '--pids-limit' }

/** Less than this is not worth offering: no container gets less (see `bounds` in core/containers/view.ts). */
const least: Partial<Record<Resource, number>> = { memory: 16 * 1024 ** 2, cpus: 10, pids: 16 }

const free: Record<Resource, string> = {
  containers: 'remove one with rm',
  running: 'stop one with stop',
  memory: 'give one less with update -m, or stop one',
  cpus: 'give one less with update --cpus, or stop one',
  pids: 'give one less with update --pids-limit, or stop one',
  images: 'remove one with rmi',
  ports: 'remove a container that has one',
  disk: 'remove files in /storage, an image or a container',
}

/**
 * @returns why a wish for more of a resource is refused, naming the rule, the present use, the limit and what would
 * work; undefined when it fits.
 */
export function refuse(resource: Resource, wish: number, used: number, { limit, from }: Limit): string | undefined {
  if (used + wish <= limit) return undefined
  const show = (amount: number) => formatAmount(resource, amount)
  const whose = from === 'site' ? 'the quota here' : from === 'member' ? 'your quota' : 'your grant'
  const left = limit - used
  const fits = flags[resource] && left >= (least[resource] ?? 1)
  const smaller = fits
    ? `ask for at most ${floorAmount(resource, left)} with ${flags[resource]}, ${free[resource].includes(' or ') ? '' : 'or '}`
    : ''
  return `You may have ${show(limit)} ${words[resource]} (${whose}) and use ${show(used)}, so ${show(wish)} more does not fit: ${smaller}${free[resource]}.`
}
