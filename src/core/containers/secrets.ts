import type { Context } from '../command/context.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { DcmError } from '../reply/error.ts'
import { sealSecret, syncSecrets } from './runfolder.ts'

/** Secrets that one container may have. */
const most = 64

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
