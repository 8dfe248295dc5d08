import { joinNetworks, settleNetwork } from '../containers/network.ts'
import { isFault } from '../host/fault.ts'
import type { Upkeep } from './reconcile.ts'

/** Makes members' own networks on a host, and who has joined them, what the database says. */
export async function settleNetworks(upkeep: Upkeep, hostId: string): Promise<void> {
  const { works, log } = upkeep
  const { store } = works
  const { engine } = works.host(hostId)
  const tried = async (what: Record<string, unknown>, work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      if (isFault(error, 'down')) throw error
      log.warn({ ...what, err: error }, 'a network could not be settled; it is tried again')
    }
  }
  const seen = new Set((await engine.networks()).map((network) => network.name))
  for (const row of await store.hosts.networks(hostId)) {
    if (row.called === '' || row.leaving || row.subnet === null || seen.has(row.name)) continue
    await tried({ network: row.id }, async () => void (await settleNetwork(works, row.id, hostId)))
  }
  for (const container of await store.containers.onHost(hostId)) {
    const { id, engineId, joined } = container
    if (!engineId || joined.length === 0 || (await store.operations.openOn(`container:${id}`))) continue
    await tried({ container: id }, async () => {
      const { networks = [] } = await engine.inspect(engineId)
      if (joined.some((one) => !networks.includes(one.engineName))) await joinNetworks(works, container, engineId)
    })
  }
}
