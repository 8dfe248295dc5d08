import { present } from '../core/containers/change.ts'
import { erase } from '../core/containers/erase.ts'
import { defineOperation } from '../core/operation/define.ts'
import { ok } from '../core/reply/reply.ts'

type State = { name: string }

/** Removes a container with everything that was its own. Gone in the engine first, then from the database: its ports are free only when it is. */
export const remove = defineOperation<'remove', State>({
  kind: 'remove',
  subject: (input) => `container:${input.containerId}`,
  doing: 'being removed',
  async admit(tx, input) {
    return { name: (await present(tx, input.containerId)).name }
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
  reply: ({ state }) => ok(`${state.name} is removed; /storage and your images are untouched.`, { data: { name: state.name } }),
})
