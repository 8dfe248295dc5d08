import { lockMember, reserve, reserveHost } from '../core/containers/admit.ts'
import { engineIdOf } from '../core/containers/locate.ts'
import { present } from '../core/containers/change.ts'
import { HostError, isFault } from '../core/host/fault.ts'
import { count } from '../core/model/count.ts'
import type { Container, Limits } from '../core/model/container.ts'
import { defineOperation } from '../core/operation/define.ts'
import { toData } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { nameCpus, formatSize } from '../core/model/units.ts'

type State = { before: Limits; after: Limits; now?: Container }

const names = ['memory', 'cpus', 'pids'] as const
const wanted = (container: Container) => container.desired === 'running' || container.desired === 'paused'

/**
 * Changes limits where a container stands. While it is under way the larger of both counts, so that neither the way
 * there nor the way back can ask for what somebody else got meanwhile.
 */
export const update = defineOperation<'update', State>({
  kind: 'update',
  subject: (input) => `container:${input.containerId}`,
  doing: 'being given other limits',
  async admit(tx, input) {
    const container = await present(tx, input.containerId)
    engineIdOf(container)
    const before = container.limits
    const after = { ...before, ...input.limits }
    const most = {} as Limits
    for (const name of names) most[name] = Math.max(before[name], after[name])
    const member = await lockMember(tx, container.ownerId)
    if (wanted(container)) {
      const growth = Object.fromEntries(
        names.filter((name) => most[name] > before[name]).map((name) => [name, most[name] - before[name]]),
      )
      await reserve(tx, member, growth, before)
      if (most.memory > before.memory) await reserveHost(tx, container.hostId, most.memory - before.memory)
    }
    await tx.containers.update(container.id, most)
    return { before, after }
  },
  steps: [
    {
      name: 'update',
      async do(run) {
        const container = await present(run.store, run.input.containerId)
        const { engine } = run.host(container.hostId)
        const { before, after } = run.state
        try {
          await engine.update(container.engineId!, after)
        } catch (cause) {
          // cgroup v1 refuses a limit below what is in use; the engine has no status of its own for it.
          if (!(isFault(cause, 'broken') && after.memory < before.memory)) throw cause
          throw new DcmError(
            'conflict',
            `${container.name} uses more than ${formatSize(after.memory)} of memory now: end something in it, or stop it first.`,
            {
              cause,
              try: `top ${container.name}`,
            },
          )
        }
        await run.store.containers.update(container.id, after)
        return { now: await present(run.store, container.id) }
      },
      async undo(run) {
        const container = await run.store.containers.byId(run.input.containerId)
        if (!container?.engineId) return
        try {
          await run.host(container.hostId).engine.update(container.engineId, run.state.before)
        } catch (error) {
          if (!(error instanceof HostError) || error.fault === 'down') throw error
        }
      },
    },
  ],
  release: (run) => run.store.containers.update(run.input.containerId, run.state.before),
  reply({ state, place }) {
    const now = state.now!
    const { memory, cpus, pids } = now.limits
    return ok(
      `${now.name} has ${formatSize(memory)} of memory, ${nameCpus(cpus)} and ${count(pids, 'process', 'processes')} now.`,
      {
        data: toData(now, place),
      },
    )
  },
})
