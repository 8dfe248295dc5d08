import { syncKeys, syncSecrets } from '../core/containers/runfolder.ts'
import { defineOperation } from '../core/operation/define.ts'
import { ok } from '../core/reply/reply.ts'

/** Makes what a container finds in its run folder what the database says. A container that is gone by then needs none. */
export const renew = defineOperation<'renew', Record<string, never>>({
  kind: 'renew',
  // Each has its own: what is changed while one runs must not be taken for what that one brings.
  subject: (_, id) => `renew:${id}`,
  doing: 'being given its keys',
  admit: async () => ({}),
  steps: [
    {
      name: 'write',
      async do(run) {
        const container = await run.store.containers.byId(run.input.containerId)
        if (!container) return
        await syncKeys(run, container)
        await syncSecrets(run, container)
      },
      forward: true,
    },
  ],
  reply: () => ok('Keys and secrets are in place.'),
})
