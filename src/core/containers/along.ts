import type { Container } from '../model/container.ts'
import { formatTime } from '../model/time.ts'
import type { Works } from '../operation/define.ts'
import { called } from '../reply/container.ts'
import { DcmError } from '../reply/error.ts'
import type { Tables } from '../store/store.ts'
import { checkPorts } from './allow.ts'
import { lockMember, reserve } from './admit.ts'
import { givePorts } from './ports.ts'

/** Something of a container that its copy does not have, and why. */
export type Left = { what: string; why: string }

/**
 * Gives a copy that is being admitted the ports that were added to its source: under numbers of its own, reached from
 * where those are, until when those are. What quota or grants do not allow is left out.
 */
export async function takePorts(
  tx: Tables,
  source: Container,
  copy: { id: string; ownerId: string; hostId: string },
  { settings, random, now }: Works,
): Promise<Left[]> {
  const left: Left[] = []
  for (const port of source.added) {
    const { container, proto, reach, expiresAt } = port
    try {
      if (expiresAt && expiresAt <= now())
        throw new DcmError('conflict', `It came to its end at ${formatTime(expiresAt)}.`)
      const member = await lockMember(tx, copy.ownerId)
      checkPorts(member.grants, [], reach)
      await reserve(tx, member, { ports: 1 })
      const wish = { container, proto, purpose: 'public' as const }
      const [given] = await givePorts(tx, copy, [wish], settings.ports, random)
      await tx.ports.share(copy.hostId, proto, given!.host, reach, expiresAt ?? undefined)
    } catch (error) {
      if (!(error instanceof DcmError)) throw error
      left.push({ what: `port ${called(port)}`, why: error.message })
    }
  }
  return left
}

/** What else of a container is no part of a copy. */
export async function staysBehind(tx: Tables, source: Container): Promise<Left[]> {
  const secrets = (await tx.secrets.of(source.id)).map((secret) => secret.name)
  const schedules = (await tx.schedules.of(source.ownerId)).filter((one) => one.containerId === source.id)
  const left: Left[] = []
  if (secrets.length > 0)
    left.push({
      what: secrets.length === 1 ? 'its secret' : 'its secrets',
      why: `Give ${secrets.join(', ')} with secret set.`,
    })
  if (source.shares.length > 0)
    left.push({ what: 'its shares', why: 'Nobody else may enter the copy until you say share.' })
  if (schedules.length > 0)
    left.push({ what: 'its schedule', why: 'The copy does nothing by the clock until you say schedule.' })
  if (source.expiresAt)
    left.push({
      what: 'its end',
      why: `${source.name} is removed at ${formatTime(source.expiresAt)}, the copy never; extend gives it an end.`,
    })
  return left
}
