import { present } from '../core/containers/change.ts'
import { atWork } from '../core/containers/ended.ts'
import { HostError, isFault } from '../core/host/fault.ts'
import { defineOperation } from '../core/operation/define.ts'
import { toData } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

/** `data`: the container as it is once it has ended, which nobody can look up any more. */
type State = { name: string; data: ReturnType<typeof toData>; late?: boolean }

/**
 * Ends a build or a job: what runs in its container is killed, and its own operation fails with who did that and takes
 * back all that it made. It has a lock of its own, for the container's is held by what it ends.
 */
export const end = defineOperation<'end', State>({
  kind: 'end',
  subject: (input) => `ending:${input.containerId}`,
  doing: 'being ended',
  async admit(tx, input, _, works) {
    const was = await present(tx, input.containerId)
    if (!(await atWork(tx, was))) throw new DcmError('conflict', `${was.name} has ended meanwhile.`, { try: 'ps' })
    return { name: was.name, data: toData({ ...was, state: 'exited', desired: 'exited' }, works.place) }
  },
  steps: [
    {
      name: 'end',
      async do(run) {
        const { containerId, by } = run.input
        // Stored first: whatever it makes or starts next, it looks here before it goes on.
        await run.store.containers.update(containerId, { trouble: `${run.state.name} was ended by ${by}.` })
        await run.say('ending')
        for (;;) {
          const operation = await run.store.operations.byId(containerId)
          if (operation?.finishedAt) return { late: operation.status === 'done' }
          if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
          const container = await run.store.containers.byId(containerId)
          if (container?.engineId)
            await run
              .host(container.hostId)
              .engine.stop(container.engineId, 0)
              .catch((error: unknown) => {
                if (!(error instanceof HostError) || isFault(error, 'down')) throw error
              })
          await run.sleep(200)
        }
      },
    },
  ],
  reply: ({ state: { name, data, late } }) =>
    ok(late ? `${name} had ended by itself.` : `${name} was ended, and nothing of it is left.`, {
      data,
    }),
})
