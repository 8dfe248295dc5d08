import type { PortWish, ServiceWish } from '../core/command/intents.ts'
import { lockMember, reserve } from '../core/containers/admit.ts'
import { type Becoming, becoming, refuseClash } from '../core/containers/becoming.ts'
import { freshUse } from '../core/containers/disk.ts'
import { addNetworks } from '../core/containers/networks.ts'
import { syncSecrets } from '../core/containers/runfolder.ts'
import { giveSecrets } from '../core/containers/secrets.ts'
import { addVolumes } from '../core/containers/volumes.ts'
import { count } from '../core/model/count.ts'
import { type Container, publicPorts } from '../core/model/container.ts'
import { defineOperation, type Also, type Run } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { whyNot } from './part.ts'

/** What becomes of a service: `id` is the operation that does it; none where nothing has to be done. */
type Part = {
  service: string
  name: string
  containerId: string
  does: 'create' | 'recreate' | 'update' | 'start' | 'keep'
  id: string | null
  limits: boolean
}
type Up = { parts: Part[]; beside: string[]; rows?: string[][] }

const said: Record<Part['does'], string> = {
  create: 'created',
  recreate: 'made anew',
  update: 'other limits',
  start: 'started',
  keep: 'as it was',
}

/** Text that is the same for the same wish, in whatever order its keys were written. */
const stable = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

/** Whether its ports are those that are asked for; which outer ones DCM picked does not matter. */
function samePorts(container: Container, wishes: readonly PortWish[]): boolean {
  const has = publicPorts(container)
  return (
    has.length === wishes.length &&
    wishes.every((wish) =>
      has.some(
        (port) =>
          port.container === wish.container &&
          port.proto === wish.proto &&
          (wish.host === undefined || port.host === wish.host),
      ),
    )
  )
}

const sameLimits = (container: Container, { limits }: ServiceWish) => stable(container.limits) === stable(limits)

/** Brings a composition up: what is not there is made, what differs is made anew, the rest is left as it is. */
export const composeUp = defineOperation<'compose-up', Up>({
  kind: 'compose-up',
  subject: (input) => `compose:${input.ownerId}/${input.project}`,
  doing: 'being brought up',
  before: freshUse,
  async admit(tx, input, _, works, also) {
    const member = await lockMember(tx, input.ownerId)
    await addVolumes(tx, { id: input.ownerId, hostId: works.settings.hostId }, input.volumes)
    const owner = { id: input.ownerId, hostId: works.settings.hostId, instance: works.place.instance }
    await addNetworks(tx, owner, input.networks, input.project)
    const mine = await tx.containers.of(input.ownerId)
    const images = new Map((await tx.images.visible(input.ownerId)).map((one) => [one.id, one]))
    const parts: Part[] = []
    const containerOf = new Map<string, string>()
    for (const wish of input.services) {
      const there = mine.find(
        ({ spec }) => spec.compose?.project === input.project && spec.compose.service === wish.service,
      )
      const image = images.get(there?.imageId ?? '')
      const newer = there !== undefined && image !== undefined && there.imageEngineId !== image.engineId
      const becomes = becoming(wish, there, input.ownerId)
      const others = mine.filter((one) => one.spec.compose?.project !== input.project)
      refuseClash(others, { ...becomes, ownerId: input.ownerId, name: there?.name ?? wish.name })
      const after = wish.waits.map(({ service, health }) => ({
        ...{ containerId: containerOf.get(service)!, name: `${input.project}-${service}`, health },
      }))
      const part = await admitOne(wish, there, becomes, newer, after, input.ownerId, also!)
      containerOf.set(wish.service, part.containerId)
      await giveSecrets(tx, works.seal, { id: part.containerId, ownerId: input.ownerId, name: part.name }, wish)
      // What grows only once it is made anew is asked for now, so that nothing begins that could not end.
      if (part.limits && there && part.does === 'recreate') {
        const growth = {
          memory: wish.limits.memory - there.limits.memory,
          cpus: wish.limits.cpus - there.limits.cpus,
          pids: wish.limits.pids - there.limits.pids,
        }
        await reserve(tx, member, Object.fromEntries(Object.entries(growth).filter(([, more]) => more > 0)))
      }
      parts.push(part)
    }
    const names = new Set(input.services.map((wish) => wish.service))
    const beside = mine
      .filter(({ spec }) => spec.compose?.project === input.project && !names.has(spec.compose.service))
      .map((one) => one.name)
    return { parts, beside }
  },
  steps: [
    {
      name: 'wait',
      async do(run) {
        const failed: string[] = []
        const rows: string[][] = []
        for (const part of run.state.parts) {
          const why = await outcome(run, part)
          if (why !== undefined) failed.push(why)
          const now = await run.store.containers.byId(part.containerId)
          if (now) await syncSecrets(run, now)
          const ports = now ? publicPorts(now).map((port) => `${port.host}->${port.container}/${port.proto}`) : []
          rows.push([
            part.service,
            now?.name ?? part.name,
            why === undefined ? said[part.does] : 'failed',
            now?.state ?? 'gone',
            ports.join(' '),
          ])
        }
        if (failed.length > 0)
          throw new DcmError(
            'conflict',
            `${failed.join(' ')} What else is of ${run.input.project} stays as it is; compose ps ${run.input.project} shows it.`,
            {
              try: `compose ps ${run.input.project}`,
            },
          )
        return { rows }
      },
    },
  ],
  reply({ input, state }) {
    const rows = state.rows!
    const beside = state.beside.length > 0 ? ` No longer in the file: ${state.beside.join(', ')}; rm removes them.` : ''
    return ok(`${input.project} is up: ${count(rows.length, 'service')}.${beside}`, {
      table: { head: ['SERVICE', 'CONTAINER', 'DONE', 'STATE', 'PORTS'], rows },
      data: {
        project: input.project,
        services: rows.map(([service, container, done, state]) => ({
          service: service!,
          container: container!,
          done: done!,
          state: state!,
        })),
        beside: state.beside,
      },
      private: true,
      actions: [
        { label: 'Logs', line: `compose logs ${input.project}` },
        { label: 'Stop', line: `compose stop ${input.project}` },
      ],
    })
  },
})

/** Admits what one service needs, if anything. */
async function admitOne(
  wish: ServiceWish,
  there: Container | undefined,
  { spec, joins }: Becoming,
  newer: boolean,
  after: { containerId: string; name: string; health: ServiceWish['waits'][number]['health'] }[],
  ownerId: string,
  also: Also,
): Promise<Part> {
  const { service, name, imageId, imageRef, limits, ports } = wish
  const part = { service, name: there?.name ?? name, limits: there !== undefined && !sameLimits(there, wish) }
  if (!there) {
    const id = await also('create', { ownerId, name, imageId, imageRef, limits, spec, ports, joins, after }, name)
    return { ...part, containerId: id, does: 'create', id }
  }
  const containerId = there.id
  const changed =
    newer ||
    there.imageId !== imageId ||
    stable(there.spec) !== stable(spec) ||
    stable(there.joined.map((one) => one.id).toSorted()) !== stable(joins.map((one) => one.id).toSorted()) ||
    !samePorts(there, ports)
  if (changed || there.state === 'missing') {
    const id = await also(
      'recreate',
      { containerId, imageId, imageRef, spec, ports, joins, health: null, seconds: 10, after },
      there.name,
    )
    return { ...part, containerId, does: 'recreate', id }
  }
  if (there.desired !== 'running') {
    const id =
      there.desired === 'paused'
        ? await also('unpause', { containerId }, there.name)
        : await also('start', { containerId }, there.name)
    return { ...part, containerId, does: 'start', id }
  }
  if (part.limits)
    return { ...part, containerId, does: 'update', id: await also('update', { containerId, limits }, there.name) }
  return { ...part, containerId, does: 'keep', id: null }
}

/** Waits for what a service needs. @returns why it failed */
async function outcome(run: Run<'compose-up', Up>, part: Part): Promise<string | undefined> {
  await run.say(`waiting for ${part.name}`)
  const told = (why: string | undefined) => (why === undefined ? undefined : `${part.name}: ${why}`)
  if (part.id) {
    const reply = await run.ended(part.id)
    if (reply.error) return told(reply.text)
  }
  if (!part.limits || part.does === 'update') return undefined
  const { limits } = run.input.services.find((wish) => wish.service === part.service)!
  return told(await whyNot(run.also('update', { containerId: part.containerId, limits }, part.name)))
}
