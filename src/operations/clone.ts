import { type Left, staysBehind, takePorts } from '../core/containers/along.ts'
import { present } from '../core/containers/change.ts'
import { freshUse } from '../core/containers/disk.ts'
import { closeForwards, openAdded } from '../core/containers/forward.ts'
import { lockMember } from '../core/containers/admit.ts'
import { reserveContainer } from '../core/containers/reserve.ts'
import { publicPorts, type Container } from '../core/model/container.ts'
import { defineOperation, type Run, type State, type Step } from '../core/operation/define.ts'
import { called, toData, toFields } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { commit } from './commit.ts'
import { create } from './create.ts'

/** `left`: what the copy does not have of the source. `made`: as it was when all of it had come up. */
type Cloning = { source: string; left: Left[]; committing: State; made?: Container; network?: string }

/** The image between the two is the member's own and counts like any other. */
const imageOf = (name: string) => `${name}:clone`

const commitInput = (input: Run<'clone', Cloning>['input']): Run<'commit', State>['input'] => ({
  containerId: input.containerId,
  ownerId: input.ownerId,
  ref: imageOf(input.name),
  message: 'for a clone',
  keepEnv: true,
})

/** A step of commit, on its own part of what is stored. */
const saving = (step: Step<never, never>): Step<'clone', Cloning> => {
  const run = step as unknown as Step<'commit', State>
  const inner = (outer: Run<'clone', Cloning>): Run<'commit', State> => ({
    ...outer,
    input: commitInput(outer.input),
    state: outer.state.committing,
  })
  return {
    name: run.name,
    do: async (outer) => ({ committing: { ...outer.state.committing, ...(await run.do(inner(outer))) } }),
    ...(run.undo ? { undo: (outer: Run<'clone', Cloning>) => run.undo!(inner(outer)) } : {}),
  }
}

/** What came along beside what it is made from, if anything. */
function withIt(made: Container): string {
  const ports = made.added.map(called)
  const networks = made.joined.map((network) => network.name)
  const open = ports.length > 0 ? [`has port ${ports.join(', ')} open under other numbers`] : []
  const on = networks.length > 0 ? [`is on ${networks.join(', ')} too`] : []
  return open.length + on.length > 0 ? ` It ${[...open, ...on].join(' and ')}.` : ''
}

/** A copy of a container beside it: saved as commit does, and made as create does, both admitted before either begins. */
export const clone = defineOperation<'clone', Cloning>({
  kind: 'clone',
  subject: (input) => `container:${input.containerId}`,
  doing: 'being cloned',
  before: freshUse,
  async admit(tx, input, id, works) {
    const source = await present(tx, input.containerId)
    const image = imageOf(input.name)
    if (await tx.images.byRef(input.ownerId, image))
      throw new DcmError(
        'conflict',
        `You already have an image ${image}; remove it with rmi, or choose another name.`,
        { try: `rmi ${image}` },
      )
    const committing = await commit.admit(tx, commitInput(input), id, works)
    const ports = publicPorts(source).map((port) => ({ container: port.container, proto: port.proto }))
    // A copy is no part of the composition that its source may be in.
    const { compose: _, ...spec } = source.spec
    const { limits, ssh } = source
    const { ownerId, name } = input
    const joins = source.joined.map((network) => ({ id: network.id, name: network.name }))
    const from = { id: null, engineId: '', ref: image, ssh }
    const member = await lockMember(tx, ownerId)
    await reserveContainer(tx, member, { ownerId, name, limits, spec, ports, joins }, id, works, from)
    const left = await takePorts(tx, source, { id, ownerId, hostId: works.settings.hostId }, works)
    return { source: source.name, left: [...left, ...(await staysBehind(tx, source))], committing }
  },
  steps: [
    // Undone last, whichever of the others failed: the image was made for this alone.
    { name: 'begin', do: async () => undefined, undo: (run) => run.store.images.remove(run.id) },
    ...commit.steps.map((step) => saving(step as never)),
    {
      name: 'take the image',
      async do(run) {
        const image = await run.store.images.byRef(run.input.ownerId, imageOf(run.input.name))
        if (!image) throw new DcmError('conflict', `${imageOf(run.input.name)} was removed meanwhile.`)
        await run.store.containers.update(run.id, { imageId: image.id, imageEngineId: image.engineId })
      },
    },
    ...(create.steps as unknown as Step<'clone', Cloning>[]),
    {
      name: 'ports',
      async do(run) {
        let made = await present(run.store, run.id)
        for (const port of made.added) made = await openAdded(run, run.id, port, false)
        return { made }
      },
      async undo(run) {
        const made = await run.store.containers.byId(run.id)
        if (made) await closeForwards(run, made)
      },
    },
  ],
  release: (run) => run.store.containers.remove(run.id),
  reply({ state, place }) {
    const { made, left, source } = state as Cloning & { made: Container }
    const without = left.length > 0 ? ` Not taken along: ${left.map(({ what }) => what).join(', ')}.` : ''
    return ok(
      `${made.name} is running, a copy of ${source} as it is now; /storage is the same directory in both.${withIt(made)}${without} Its image ${made.imageRef} is yours and counts in your quota: rmi it when the copy is gone.`,
      {
        fields: toFields(made, place),
        ...(left.length > 0
          ? { table: { head: ['NOT TAKEN ALONG', 'WHY'], rows: left.map(({ what, why }) => [what, why]) } }
          : {}),
        data: { ...toData(made, place), left },
        private: true,
        actions: [{ label: 'Remove it', line: `rm ${made.name}`, danger: true }],
      },
    )
  },
})
