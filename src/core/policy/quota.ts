import type { Grant } from '../model/grant.ts'
import type { Group } from '../model/group.ts'
import { floorAmount, formatAmount, type Quota, type Resource, resources } from '../model/quota.ts'

/** Which rule a limit comes from. */
export type Source = 'site' | 'group' | 'member' | 'grant'

/** What holds for a member now, by resource; `group` names the one that it comes from. */
export type Limit = { limit: number; from: Source; group?: string }

/** What is laid over each other for one member, the general first. */
export type Layers = {
  site: Quota
  groups: readonly Pick<Group, 'name' | 'quota'>[]
  member: Partial<Quota>
  grants: readonly Grant[]
}

/**
 * The site's default, unless a group of the member says otherwise (the most that one of them gives), unless the member
 * has a quota of their own, unless a grant in force gives more.
 */
export function effective({ site, groups, member, grants }: Layers): Record<Resource, Limit> {
  const limits = {} as Record<Resource, Limit>
  for (const resource of resources) {
    let best: Limit = { limit: site[resource], from: 'site' }
    for (const { name, quota } of groups) {
      const limit = quota[resource]
      if (limit !== undefined && (best.from === 'site' || limit > best.limit))
        best = { limit, from: 'group', group: name }
    }
    const own = member[resource]
    if (own !== undefined) best = { limit: own, from: 'member' }
    for (const grant of grants)
      if (grant.kind === 'quota' && grant.resource === resource && grant.amount > best.limit)
        best = { limit: grant.amount, from: 'grant' }
    limits[resource] = best
  }
  return limits
}

/** One of it, and several. */
const words: Record<Resource, [string, string]> = {
  containers: ['container', 'containers'],
  running: ['running container', 'running containers'],
  memory: ['of memory for running containers', 'of memory for running containers'],
  cpus: ['CPU for running containers', 'CPUs for running containers'],
  pids: ['process in running containers', 'processes in running containers'],
  images: ['image', 'images'],
  ports: ['public port', 'public ports'],
  disk: ['of disk', 'of disk'],
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
  ports: 'close one with port rm, or remove a container that has one',
  disk: 'remove files in /storage, an image or a container',
}

/**
 * @returns why a wish for more of a resource is refused, naming the rule, the present use, the limit and what would
 * work; undefined when it fits.
 * @param has what the container that is to get more has already
 */
export function refuse(
  resource: Resource,
  wish: number,
  used: number,
  { limit, from, group }: Limit,
  has = 0,
): string | undefined {
  if (used + wish <= limit) return undefined
  const show = (amount: number) => formatAmount(resource, amount)
  const whose = {
    site: 'the quota here',
    group: `the quota of group ${group}`,
    member: 'your quota',
    grant: 'your grant',
  }[from]
  const left = limit - used
  const fits = flags[resource] && left >= (least[resource] ?? 1)
  const smaller = fits
    ? `ask for at most ${floorAmount(resource, left + has)} with ${flags[resource]}, ${free[resource].includes(' or ') ? '' : 'or '}`
    : ''
  const noun = words[resource][show(limit) === '1' ? 0 : 1]
  return `You may have ${show(limit)} ${noun} (${whose}) and use ${show(used)}, so ${show(wish)} more does not fit: ${smaller}${free[resource]}.`
}
