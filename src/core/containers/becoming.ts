import type { ServiceWish } from '../command/intents.ts'
import { type Container, foundAs, type Spec } from '../model/container.ts'
import type { NetworkRef } from '../model/network.ts'
import { DcmError } from '../reply/error.ts'

/** What a service is made from, and the networks that it is on beside that of its spec. */
export type Becoming = { spec: Spec; joins: NetworkRef[] }

/** What no file says or said, and was given to its container since, that keeps. */
export function becoming({ spec }: ServiceWish, there: Container | undefined, ownerId: string): Becoming {
  const [says, said] = [spec.compose!.networks, there?.spec.compose?.networks]
  const { network, wake } = there?.spec ?? {}
  const made = says ? spec.network : said ? undefined : network
  const files = new Set([...(says ?? []), ...(said ?? [])].map((one) => one.id))
  const own = (there?.joined ?? []).filter((one) => !files.has(one.id))
  const joins = [...own, ...(says ?? [])]
    .filter((one) => one.id !== (made?.id ?? ownerId))
    .map(({ id, name }) => ({ id, name }))
  return { spec: { ...spec, ...(made ? { network: made } : {}), ...(wake === false ? { wake } : {}) }, joins }
}

/** Refuses what would be found by a name that another container has on the same network. @throws DcmError `conflict` */
export function refuseClash(others: readonly Container[], mine: Becoming & Pick<Container, 'ownerId' | 'name'>): void {
  const { spec, joins, ownerId } = mine
  for (const network of [spec.network ?? { id: ownerId, name: '' }, ...joins]) {
    const names = foundAs(mine, network.id).slice(1)
    for (const other of others) {
      const on = [other.spec.network?.id ?? ownerId, ...other.joined.map((one) => one.id)].includes(network.id)
      const name = on ? foundAs(other, network.id).find((one) => names.includes(one)) : undefined
      if (name !== undefined)
        throw new DcmError(
          'conflict',
          `${other.name} is found as ${name} on ${network.name || 'your network'} already; call the service something else, or remove ${other.name}.`,
          { try: `inspect ${other.name}` },
        )
    }
  }
}
