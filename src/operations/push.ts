import { beyond, checkAllowed, credentialOf } from '../core/containers/registries.ts'
import type { Moved } from '../core/host/engine.ts'
import { isFault } from '../core/host/fault.ts'
import { formatRemote } from '../core/model/registry.ts'
import { formatSize } from '../core/model/units.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type State = { ref: string; engineId: string; hostId: string; had?: boolean }

/** The name is on the engine for as long as that lasts, and one name there is one image. */
async function release(run: Run<'push', State>): Promise<void> {
  if (run.state.had === false) await run.host(run.state.hostId).engine.release(run.input.remote, run.state.engineId)
}

/** Sends a member's own image to a registry, with their own login. */
export const push = defineOperation<'push', State>({
  kind: 'push',
  subject: (input) => `push:${formatRemote(input.remote)}`,
  doing: 'being pushed there',
  async admit(tx, input) {
    await checkAllowed(tx, input.remote.registry)
    const image = await tx.images.byId(input.imageId)
    if (image?.ownerId !== input.ownerId) throw new DcmError('not_found', 'That image is gone.', { try: 'images' })
    return { ref: image.ref, engineId: image.engineId, hostId: image.hostId }
  },
  steps: [
    {
      name: 'look',
      do: async (run) => ({
        had: (await run.host(run.state.hostId).engine.image(formatRemote(run.input.remote))) !== undefined,
      }),
    },
    {
      name: 'push',
      async do(run) {
        const { remote, ownerId } = run.input
        const credential = await credentialOf(run, ownerId, remote.registry)
        let told = 0
        const progress = ({ done, all }: Moved) => {
          const now = run.now().getTime()
          if (now - told < 1000) return
          told = now
          run.say(`pushing, ${formatSize(done)} of ${formatSize(all)}`).catch(() => undefined)
        }
        await run.say('pushing')
        try {
          await run.host(run.state.hostId).engine.push(run.state.engineId, remote, credential, progress, run.signal)
        } catch (error) {
          if (isFault(error, 'taken'))
            throw new DcmError(
              'conflict',
              `Docker on this host calls another image ${formatRemote(remote)} already; push under another tag.`,
              { cause: error },
            )
          throw beyond(error, remote.registry)
        }
      },
      undo: release,
    },
    { name: 'release', forward: true, do: release },
  ],
  reply({ input, state }) {
    const to = formatRemote(input.remote)
    return ok(`${state.ref} is ${to} now.`, { data: { image: state.ref, to } })
  },
})
