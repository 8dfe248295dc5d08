import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Schedule } from '../command/views.ts'
import { newId } from '../model/id.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import type { ScheduleRow } from '../store/schedules.ts'
import { nextTime } from './cron.ts'

/** Schedules that a member may have. */
const most = 50

const seen = ({
  id,
  container,
  verb,
  argv,
  cron,
  zone,
  nextAt,
  lastAt,
  trouble,
}: ScheduleRow & { container: string }): Schedule => ({
  id,
  container,
  verb,
  argv,
  cron,
  zone,
  nextAt,
  lastAt,
  trouble,
})

/** How long containers live, and what is done to them at chosen times. */
export function createTime({
  store,
  settings,
  random,
}: Works): (caller: Caller) => Pick<Context, 'time' | 'schedules'> {
  return ({ person }) => ({
    time: {
      extend: (container, ms) =>
        store.tx(async (tx) => {
          const open = await tx.operations.openOn(`container:${container.id}`)
          if (open?.kind === 'remove') throw new DcmError('conflict', `${container.name} is being removed already.`)
          return tx.containers.extend(container.id, ms)
        }),
      keep: async (container, ms) => ({
        until: await store.containers.keep(container.id, ms),
        idleStop: settings.idleStop ?? null,
      }),
    },
    schedules: {
      async add({ container, verb, argv, cron, zone }) {
        const nextAt = nextTime(cron, zone, await store.site.clock())
        return store.tx(async (tx) => {
          await tx.people.lockUsage(container.ownerId)
          if ((await tx.schedules.of(container.ownerId)).length >= most)
            throw new DcmError('limited', `You have ${most} schedules already; remove one with schedule rm.`, {
              try: 'schedule ls',
            })
          const row = await tx.schedules.insert({
            id: newId(random),
            ownerId: container.ownerId,
            containerId: container.id,
            verb,
            argv,
            cron,
            zone,
            nextAt,
          })
          return seen({ ...row, container: container.name })
        })
      },
      list: async () => (await store.schedules.of(person.id)).map(seen),
      async remove(id) {
        const found = (await store.schedules.of(person.id)).find((one) => one.id === id)
        if (!found || !(await store.schedules.remove(person.id, id)))
          throw new DcmError('not_found', `You have no schedule ${id.slice(0, 40)}.`, { try: 'schedule ls' })
        return seen(found)
      },
    },
  })
}
