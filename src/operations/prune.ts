import { defineOperation, type Run } from '../core/operation/define.ts'
import { count } from '../core/model/count.ts'
import { ok, warn } from '../core/reply/reply.ts'
import { whyNot } from './part.ts'

type State = { containers: string[]; images: string[]; kept: string[] }

/**
 * Removes what its owner was shown, each by its id and by the operation that removes one alone: what is in use by then
 * is refused there and stays. Docker's own prune knows no owners and is never asked.
 */
export const prune = defineOperation<'prune', State>({
  kind: 'prune',
  subject: (input) => `prune:${input.ownerId}`,
  doing: 'being cleared up',
  admit: async () => ({ containers: [], images: [], kept: [] }),
  steps: [
    {
      name: 'prune',
      async do(run) {
        const { containers, images } = run.input
        const found: State = { containers: [], images: [], kept: [] }
        const remove = async (name: string, list: string[], work: () => ReturnType<typeof run.also>) => {
          await run.say(`removing ${name}`)
          const why = await whyNot(work())
          if (why === undefined) list.push(name)
          else found.kept.push(why)
        }
        for (const containerId of containers) {
          // What an earlier life of this run has removed is told from its own operation.
          const container = await run.store.containers.byId(containerId)
          const name = container?.name ?? (await nameOf(run, `container:${containerId}`))
          if (name) await remove(name, found.containers, () => run.also('remove', { containerId, stopped: true }, name))
        }
        for (const imageId of images) {
          const image = await run.store.images.byId(imageId)
          const ref = image?.ref ?? (await nameOf(run, `image:${imageId}`))
          if (ref) await remove(ref, found.images, () => run.also('remove-image', { imageId }, ref))
        }
        return found
      },
    },
  ],
  reply({ state: { containers, images, kept } }) {
    const data = { containers, images, kept }
    if (containers.length + images.length === 0 && kept.length === 0) return ok('There is nothing to prune.', { data })
    const text = `Removed ${count(containers.length, 'container')} and ${count(images.length, 'image')}; /storage is untouched.`
    const rows = [...containers.map((name) => ['container', name]), ...images.map((ref) => ['image', ref])]
    const table = { head: ['WHAT', 'NAME'], rows }
    return kept.length === 0 ? ok(text, { table, data }) : warn(`${text} ${kept.join(' ')}`, { table, data })
  },
})

/** What an operation of this request, on this subject, was about. */
async function nameOf(run: Run<'prune', State>, subject: string): Promise<string | undefined> {
  const own = await run.store.operations.byId(run.id)
  const rows = own ? await run.store.operations.byRequest(own.requestId, own.actorId) : []
  return rows.find((row) => row.subject === subject && row.ownerId === run.input.ownerId)?.target ?? undefined
}
