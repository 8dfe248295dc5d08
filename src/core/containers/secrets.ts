import type { ServiceWish } from '../command/intents.ts'
import type { Context } from '../command/context.ts'
import { mostSecrets as most } from '../model/secret.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { DcmError } from '../reply/error.ts'
import type { Seal } from '../secret/seal.ts'
import type { Tables } from '../store/store.ts'
import { openSecret, sealSecret, syncSecrets } from './runfolder.ts'

/** For whom a value is sealed that waits for its container: nobody's row is called so. */
const ahead = (ownerId: string, service: string) => `ahead:${ownerId}/${service}`

/** Seals a value for the container of a service, which may not be there yet. */
export const sealAhead = (seal: Seal, ownerId: string, service: string, name: string, value: string): string =>
  sealSecret(seal, ahead(ownerId, service), name, value)

/** Gives the container of a service its secrets, in the transaction that admits it. @throws DcmError `limited`, `conflict` */
export async function giveSecrets(
  tx: Tables,
  seal: Seal,
  container: { id: string; ownerId: string; name: string },
  { service, secrets = [] }: Pick<ServiceWish, 'service' | 'secrets'>,
): Promise<void> {
  if (secrets.length === 0) return
  const there = new Set((await tx.secrets.of(container.id)).map((one) => one.name))
  for (const { name, sealed } of secrets) {
    if (sealed === null && !there.has(name))
      throw new DcmError('conflict', `${container.name} has no secret ${name} any more.`, {
        try: `secret ls ${container.name}`,
      })
    there.add(name)
    if (sealed === null) continue
    const value = openSecret(seal, ahead(container.ownerId, service), name, sealed)
    await tx.secrets.put({ containerId: container.id, name, sealed: sealSecret(seal, container.id, name, value) })
  }
  if (there.size > most)
    throw new DcmError('limited', `${container.name} would have ${there.size} secrets and may have ${most}.`, {
      try: `secret ls ${container.name}`,
    })
}

/** Secrets of containers: set and removed, never shown. */
export function createSecrets(works: Works): Context['secrets'] {
  const { store, seal } = works
  return {
    async set(container, name, value) {
      await store.tx(async (tx) => {
        await tx.people.lockUsage(container.ownerId)
        const there = await tx.secrets.of(container.id)
        if (there.length >= most && !there.some((one) => one.name === name))
          throw new DcmError('limited', `${container.name} has ${most} secrets already; remove one with secret rm.`, {
            try: `secret ls ${container.name}`,
          })
        await tx.secrets.put({ containerId: container.id, name, sealed: sealSecret(seal, container.id, name, value) })
      })
      await syncSecrets(works, container).catch((error: unknown) => Promise.reject(explain(error)))
    },
    list: async (container) =>
      (await store.secrets.of(container.id)).map(({ name, createdAt }) => ({ name, setAt: createdAt })),
    async remove(container, name) {
      if (!(await store.secrets.remove(container.id, name)))
        throw new DcmError('not_found', `${container.name} has no secret ${name.slice(0, 64)}.`, {
          try: `secret ls ${container.name}`,
        })
      await syncSecrets(works, container).catch((error: unknown) => Promise.reject(explain(error)))
    },
  }
}
