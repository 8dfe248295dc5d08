import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { calledBy } from '../../core/model/container.ts'
import { formatCpus, formatSize } from '../../core/model/units.ts'
import { info, seen } from '../../core/reply/reply.ts'

export const stats = defineCommand({
  name: 'stats',
  about: 'Show what your containers take right now.',
  examples: ['stats', 'stats web'],
  needs: 'look',
  changes: false,
  private: true,
  args: { container: { kind: 'container', about: 'Only this one.', optional: true } },
  gives: z.array(
    z.object({
      name: z.string(),
      owner: z.string(),
      state: z.string(),
      cpus: z.number().nullable().describe('CPUs over the last second; null while it does not run.'),
      cpus_limit: z.number(),
      memory: z.number().int().nullable().describe('Bytes, without file cache that can be dropped.'),
      memory_limit: z.number().int(),
      pids: z.number().int().nullable(),
      pids_limit: z.number().int(),
      received: z.number().int().nullable().describe('Bytes over the network since it started.'),
      sent: z.number().int().nullable(),
    }),
  ),
  async run({ container }, { containers, watch, caller }) {
    const visible = container ? { own: [container], shared: [], stale: null } : await containers.visible()
    const all = [...visible.own, ...visible.shared]
    const loads = await watch.load(all)
    const data = all.map((one, at) => {
      const load = loads[at] ?? null
      return {
        name: one.name,
        owner: one.owner,
        state: one.state,
        cpus: load && load.cpus / 1000,
        cpus_limit: one.limits.cpus / 1000,
        memory: load && load.memory,
        memory_limit: one.limits.memory,
        pids: load && load.pids,
        pids_limit: one.limits.pids,
        received: load && load.received,
        sent: load && load.sent,
      }
    })
    const rows = all.map((one, at) => {
      const name = calledBy(caller.person.id, one)
      const load = loads[at]
      if (!load) return [name, one.state, '-', '-', '-']
      return [
        name,
        `${formatCpus(load.cpus)} of ${formatCpus(one.limits.cpus)}`,
        `${formatSize(load.memory)} of ${formatSize(one.limits.memory)}`,
        `${load.pids} of ${one.limits.pids}`,
        `${formatSize(load.received)} in, ${formatSize(load.sent)} out`,
      ]
    })
    if (all.length === 0) return info('You have no containers; make one with create NAME --image IMAGE.', { data })
    const running = loads.filter(Boolean).length
    const text =
      running === 0
        ? 'None of them runs now.'
        : running === 1
          ? 'This is what it takes now.'
          : `This is what ${running} running containers take now.`
    const table = { head: ['NAME', 'CPUS', 'MEMORY', 'PROCESSES', 'NETWORK'], rows }
    return seen(text, visible.stale, { table, data })
  },
})
