import { present } from '../core/containers/change.ts'
import { erase } from '../core/containers/erase.ts'
import { defineOperation } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type State = { name: string }

/** Removes a container with everything that was its own. Gone in the engine first, then from the database: its ports are free only when it is. */
export const remove = defineOperation<'remove', State>({
  kind: 'remove',
  subject: (input) => `container:${input.containerId}`,
  doing: 'being removed',
  async admit(tx, input) {
    const { name, desired } = await present(tx, input.containerId)
    if (input.stopped && desired !== 'exited')
      throw new DcmError('conflict', `${name} was started meanwhile, so it stays.`)
    if (input.expired && !(await tx.containers.expired(input.containerId)))
      throw new DcmError('conflict', `${name} was given more time meanwhile.`)
    return { name }
  },
  steps: [
    {
      name: 'remove',
      async do(run) {
        const container = await run.store.containers.byId(run.input.containerId)
        if (!container) return
        await run.say('removing')
        await erase(run, container)
      },
    },
  ],
  reply: ({ state }) =>
    ok(`${state.name} is removed; /storage and your images are untouched.`, { data: { name: state.name } }),
})
