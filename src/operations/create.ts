import { defineOperation, type Run } from '../core/operation/define.ts'
import { others } from '../core/containers/after.ts'
import { mayUse } from '../core/containers/allow.ts'
import { lockMember } from '../core/containers/admit.ts'
import { freshUse } from '../core/containers/disk.ts'
import { engineNameOf } from '../core/containers/named.ts'
import { networkFor } from '../core/containers/network.ts'
import { reserveContainer } from '../core/containers/reserve.ts'
import { startAnew } from '../core/containers/start.ts'
import type { Container } from '../core/model/container.ts'
import { madeToRun } from '../core/model/image.ts'
import { toData, toFields } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { notByItself } from '../core/reply/image.ts'
import { ok } from '../core/reply/reply.ts'

/** `made` is the container as it was when it had come up: what the answer is told from. */
type State = { network?: string; made?: Container; runs?: string[] }
type Mine = Run<'create', State>

const row = async (run: Mine) => {
  const container = await run.store.containers.byId(run.id)
  if (!container) throw new DcmError('conflict', 'The container was removed meanwhile.')
  return container
}

/** What a member's own image was made to run, where they gave it no command; nothing where that cannot be learned. */
async function leftOut({ store, host }: Mine, { imageId, hostId, spec }: Container): Promise<string[]> {
  const image = imageId && spec.command.length === 0 ? await store.images.byId(imageId) : undefined
  if (!image || image.ownerId === null) return []
  return host(hostId)
    .engine.inside(image.engineId)
    .then(madeToRun)
    .catch(() => [])
}

/** A member gets a container: reserved first, then made, and answered for once its sshd has been spoken to. */
export const create = defineOperation<'create', State>({
  kind: 'create',
  subject: (_, id) => `container:${id}`,
  doing: 'being created',
  before: freshUse,
  async admit(tx, input, id, works) {
    const image = await tx.images.byId(input.imageId)
    const member = await lockMember(tx, input.ownerId)
    if (!image || !mayUse(image, input.ownerId, member.grants))
      throw new DcmError('not_found', `You have no image called ${input.imageRef}.`, { try: 'images' })
    await reserveContainer(tx, member, input, id, works, image)
    return {}
  },
  steps: [
    {
      name: 'network',
      async do(run) {
        await others(run, run.input.after)
        await run.say('making storage and network')
        return { network: await networkFor(run, await row(run)) }
      },
    },
    {
      name: 'start',
      async do(run) {
        await run.say('starting')
        await startAnew(run, (await row(run)).id, run.state.network!)
        const made = await row(run)
        return { made, runs: await leftOut(run, made) }
      },
      async undo(run) {
        const host = run.host(run.settings.hostId)
        const seen = await host.engine.find(engineNameOf(run.place.instance, run.id))
        if (seen) await host.engine.remove(seen.engineId)
        await host.files.removeRun(run.id)
      },
    },
  ],
  release: (run) => run.store.containers.remove(run.id),
  reply({ state, place }) {
    const made = state.made!
    const own = made.ssh ? '' : ' its image has no SSH server, so'
    const text =
      made.ssh || place.ssh
        ? `${made.name} is running;${own} log in with the ssh line below.`
        : `${made.name} is running; its image has no SSH server, and the SSH door is off here.`
    return ok(text + notByItself(made.imageRef, state.runs ?? [], `recreate ${made.name}`), {
      fields: toFields(made, place),
      data: toData(made, place),
      private: true,
      actions: [
        { label: 'Stop', line: `stop ${made.name}` },
        { label: 'Logs', line: `logs ${made.name}` },
      ],
    })
  },
})
