import { present } from '../core/containers/change.ts'
import { reserveContainer } from '../core/containers/reserve.ts'
import { publicPorts, type Container } from '../core/model/container.ts'
import { defineOperation, type Run, type State, type Step } from '../core/operation/define.ts'
import { toData, toFields } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { commit } from './commit.ts'
import { create } from './create.ts'

type Cloning = { source: string; committing: State; made?: Container; network?: string }

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

/** A copy of a container beside it: saved as commit does, and made as create does, both admitted before either begins. */
export const clone = defineOperation<'clone', Cloning>({
  kind: 'clone',
  subject: (input) => `container:${input.containerId}`,
  doing: 'being cloned',
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
    await reserveContainer(tx, { ownerId: input.ownerId, name: input.name, limits, spec, ports }, id, works, {
      id: null,
      engineId: '',
      ref: image,
      ssh,
    })
    return { source: source.name, committing }
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
  ],
  release: (run) => run.store.containers.remove(run.id),
  reply({ state, place }) {
    const made = state.made!
    return ok(
      `${made.name} is running, a copy of ${state.source} as it is now; /storage is the same directory in both. Its image ${made.imageRef} is yours and counts in your quota: rmi it when the copy is gone.`,
      {
        fields: toFields(made, place),
        data: toData(made, place),
        private: true,
        actions: [{ label: 'Remove it', line: `rm ${made.name}`, danger: true }],
      },
    )
  },
})
