import type { Network, NetworkRef } from '../../core/model/network.ts'

/** The flag by which a new container gets networks. */
export const networkFlag = {
  kind: 'network',
  about: 'A network of yours, instead of your main one; again for one more.',
  flag: true,
  many: true,
  optional: true,
} as const

/** What a new container is on: it is made on the first that was asked for, and joins the others. */
export function networksOf(networks: readonly Network[]): { network?: NetworkRef; joins?: NetworkRef[] } {
  const [network, ...joins] = [...new Map(networks.map(({ id, name }) => [id, { id, name }])).values()]
  return { ...(network ? { network } : {}), ...(joins.length > 0 ? { joins } : {}) }
}
