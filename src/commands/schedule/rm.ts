import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'
import { scheduleData, toScheduleData } from './add.ts'

export const scheduleRm = defineCommand({
  name: 'schedule rm',
  about: 'End a schedule.',
  examples: ['schedule rm k3v9'],
  needs: 'member',
  changes: true,
  args: { id: { kind: 'id', about: 'Which one, by its id from schedule ls.' } },
  gives: scheduleData,
  async run({ id }, { schedules }) {
    const gone = await schedules.remove(id)
    return ok(`${gone.container} is no longer told to ${gone.verb} at "${gone.cron}".`, { data: toScheduleData(gone) })
  },
})
