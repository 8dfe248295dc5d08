import type { Container } from '../model/container.ts'
import type { Grant } from '../model/grant.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import type { Tables } from '../store/store.ts'
import { checkGrants } from './allow.ts'
import type { PortRange } from './ports.ts'
import { checkDisk, lockMember, reserve, reserveHost } from './admit.ts'

/** A container as admission sees it: whoever removed it meanwhile was first. */
export async function present(tx: Pick<Tables, 'containers'>, id: string): Promise<Container> {
  const container = await tx.containers.byId(id)
  if (!container) throw new DcmError('not_found', 'That container is gone.', { try: 'ps' })
  return container
}

/**
 * What was granted at create and revoked since does not come up again, whether its owner or DCM itself starts it.
 * @throws DcmError `denied`
 */
export function checkStillGranted(grants: readonly Grant[], container: Container, { low, high }: PortRange): void {
  checkGrants(
    grants,
    container.spec,
    container.ports.filter((port) => port.host < low || port.host > high),
  )
}

/**
 * Admits that a container runs again: quota, the host's room, and what only a grant permits, as they are now. It is
 * wanted running from here on, so that its share is reserved before anything happens.
 */
export async function admitRunning(tx: Tables, container: Container, works: Works): Promise<void> {
  const member = await lockMember(tx, container.ownerId)
  checkStillGranted(member.grants, container, works.settings.ports)
  if (container.state === 'missing')
    throw new DcmError(
      'conflict',
      `${container.name} is gone from Docker: what was inside is lost; remove it with rm and create it again.`,
      { try: `rm ${container.name}` },
    )
  if (container.desired === 'running' || container.desired === 'paused') return
  checkDisk(member)
  const { memory, cpus, pids } = container.limits
  await reserve(tx, member, { running: 1, memory, cpus, pids })
  await reserveHost(tx, container.hostId, memory)
  await tx.containers.update(container.id, { desired: 'running', revivals: 0, reviveAt: null, trouble: null })
}
