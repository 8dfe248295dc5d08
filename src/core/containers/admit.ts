import { DcmError } from '../reply/error.ts'
import { type Grant, parseGrant } from '../model/grant.ts'
import type { Person } from '../model/person.ts'
import { defaultQuota, type Quota, type Resource } from '../model/quota.ts'
import { formatSize } from '../model/units.ts'
import { effective, type Limit, refuse } from '../policy/quota.ts'
import type { Tables } from '../store/store.ts'

/** A member as admission sees them: locked, with what they may and what they use. */
export type Member = {
  person: Person
  grants: Grant[]
  limits: Record<Resource, Limit>
  used: Record<Resource, number>
}

/** The site's default quota, with what admins changed. */
export async function siteQuota(tx: Pick<Tables, 'site'>): Promise<Quota> {
  return { ...defaultQuota, ...(await tx.site.get<Partial<Quota>>('quota')) }
}

/** Grants in force, read. One that the grammar no longer knows permits nothing. */
export const readGrants = (rows: readonly { thing: string }[]): Grant[] =>
  rows.map((row) => parseGrant(row.thing)).filter((grant) => grant !== undefined)

/**
 * Locks a member's row until the transaction ends and reads what holds for them.
 * @throws DcmError when they are leaving or suspended: nothing new is admitted then
 */
export async function lockMember(tx: Tables, ownerId: string): Promise<Member> {
  const usage = await tx.people.lockUsage(ownerId)
  const person = await tx.people.byId(ownerId)
  if (!usage || !person || person.state === 'leaving') throw new DcmError('conflict', 'That member is being removed.')
  if (person.state === 'suspended')
    throw new DcmError('denied', `${person.name} is suspended; an admin can resume them.`)
  const [rows, site, groups] = await Promise.all([tx.grants.lock(ownerId), siteQuota(tx), tx.groups.of(ownerId)])
  const grants = readGrants(rows)
  return { person, grants, limits: effective({ site, groups, member: person.quota, grants }), used: usage }
}

/**
 * Reserves room in a member's quota. The caps are set here, under the lock; the counting is the database's own, and its
 * checks refuse whatever this would have missed.
 * @throws DcmError `limited` with the present use, the limit and what would fit
 */
export async function reserve(
  tx: Tables,
  member: Member,
  wish: Partial<Record<Resource, number>>,
  has: Partial<Record<Resource, number>> = {},
): Promise<void> {
  for (const [resource, amount] of Object.entries(wish) as [Resource, number][]) {
    const why = refuse(resource, amount, member.used[resource], member.limits[resource], has[resource])
    if (why) throw new DcmError('limited', why, { try: 'quota show' })
  }
  const cap = (resource: Exclude<Resource, 'disk'>) => Math.max(member.limits[resource].limit, member.used[resource])
  await tx.people.setUsage(member.person.id, {
    containersCap: cap('containers'),
    runningCap: cap('running'),
    memoryCap: cap('memory'),
    cpusCap: cap('cpus'),
    pidsCap: cap('pids'),
    imagesCap: cap('images'),
    portsCap: cap('ports'),
  })
}

/** @throws DcmError `conflict` when nobody could log in to what the member makes */
export async function checkKeys(tx: Tables, ownerId: string): Promise<void> {
  if ((await tx.keys.of(ownerId)).length > 0) return
  throw new DcmError('conflict', 'You have no SSH key yet, so nobody could log in: add your public key first.', {
    try: 'key add',
  })
}

/** @throws DcmError `limited` when the member's files have outgrown their quota of disk, as last measured */
export function checkDisk(member: Member): void {
  const { limit } = member.limits.disk
  if (member.used.disk < limit) return
  throw new DcmError(
    'limited',
    `You use ${formatSize(member.used.disk)} of ${formatSize(limit)} of disk: remove files in /storage, an image or a container first.`,
    { try: 'quota show' },
  )
}

/**
 * Reserves memory on a host, so that the sum of what runs cannot sink the machine.
 * @throws DcmError `limited` when the host's memory, less its reserve, is given out
 */
export async function reserveHost(tx: Tables, hostId: string, memory: number): Promise<void> {
  const host = await tx.hosts.lock(hostId)
  if (!host) throw new DcmError('unavailable', 'This host is not known yet; try again in a minute.')
  const room = host.memory - host.reserve
  if (host.memoryUsed + memory > room)
    throw new DcmError(
      'limited',
      `This host has ${formatSize(room)} of memory to give and ${formatSize(host.memoryUsed)} is given out, so ${formatSize(memory)} more does not fit: ask for less with -m, or stop a container.`,
    )
  await tx.hosts.update(hostId, { memoryCap: Math.max(room, host.memoryUsed) })
}
