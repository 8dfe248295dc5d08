import { membersOf } from '../core/containers/networks.ts'
import type { NetworkRef } from '../core/model/network.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { whyNot } from './part.ts'

type Each = { done: string[]; kept: string[] }

/** Does the same to each container, by the operation that does it to one alone. */
async function each(
  run: Run<'compose-stop', Each> | Run<'compose-down', Down>,
  work: (containerId: string, name: string) => ReturnType<typeof run.also>,
): Promise<Each> {
  const found: Each = { done: [], kept: [] }
  await Promise.all(
    run.input.containers.map(async (containerId) => {
      const container = await run.store.containers.byId(containerId)
      if (!container) return
      const why = await whyNot(work(containerId, container.name))
      if (why === undefined) found.done.push(container.name)
      else found.kept.push(why)
    }),
  )
  if (found.kept.length > 0)
    throw new DcmError('conflict', found.kept.toSorted().join(' '), { try: `compose ps ${run.input.project}` })
  return found
}

export const composeStop = defineOperation<'compose-stop', Each>({
  kind: 'compose-stop',
  subject: (input) => `compose:${input.ownerId}/${input.project}`,
  doing: 'being stopped',
  admit: async () => ({ done: [], kept: [] }),
  steps: [
    {
      name: 'stop',
      do: (run) =>
        each(run, (containerId, name) => run.also('stop', { containerId, seconds: run.input.seconds }, name)),
    },
  ],
  reply: ({ input }) =>
    ok(`${input.project} is stopped; compose up starts it again.`, { data: { project: input.project } }),
})

type Down = Each & { volumes: { id: string; name: string }[]; networks: NetworkRef[]; stay?: string[] }

export const composeDown = defineOperation<'compose-down', Down>({
  kind: 'compose-down',
  subject: (input) => `compose:${input.ownerId}/${input.project}`,
  doing: 'being taken down',
  async admit(tx, input) {
    const parts = (await tx.containers.of(input.ownerId)).filter((one) => input.containers.includes(one.id))
    const own = parts
      .flatMap((one) => one.spec.volumes ?? [])
      .filter(({ name }) => name.startsWith(`${input.project}-`))
    const volumes = input.volumes ? [...new Map(own.map(({ id, name }) => [id, { id, name }])).values()] : []
    const networks = (await tx.networks.of(input.ownerId))
      .filter((one) => one.project === input.project)
      .map(({ id, name }) => ({ id, name }))
    return { done: [], kept: [], volumes, networks }
  },
  steps: [
    { name: 'remove', do: (run) => each(run, (containerId, name) => run.also('remove', { containerId }, name)) },
    {
      name: 'volumes',
      async do(run) {
        for (const { id, name } of run.state.volumes) {
          if (!(await run.store.volumes.byId(id))) continue
          await run.say(`removing ${name}`)
          const reply = await run.also('remove-volume', { volumeId: id }, name)
          if (reply.error) throw new DcmError(reply.error, reply.text, { try: 'volume ls' })
        }
      },
    },
    {
      name: 'networks',
      async do(run) {
        const stay: string[] = []
        for (const { id, name } of run.state.networks) {
          if (!(await run.store.networks.byId(id, run.settings.hostId))) continue
          const members = membersOf(await run.store.containers.of(run.input.ownerId), id)
          if (members.length > 0) {
            stay.push(`${members.join(', ')} is on ${name}`)
            continue
          }
          const reply = await run.also('remove-network', { networkId: id }, name)
          if (reply.error) throw new DcmError(reply.error, reply.text, { try: 'network ls' })
        }
        return { stay }
      },
    },
  ],
  reply({ input, state: { volumes, stay = [] } }) {
    const more = stay.length > 0 ? ` Still there, as ${stay.join(' and ')}: network rm removes it.` : ''
    return ok(
      `${input.project} is down: its containers${volumes.length > 0 ? ' and volumes' : ''} are removed; /storage and your images are untouched.${more}`,
      { data: { project: input.project } },
    )
  },
})
