import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'
import { scheduleData, toScheduleData } from './add.ts'

export const scheduleLs = defineCommand({
  name: 'schedule ls',
  about: 'List what is done to your containers at chosen times.',
  examples: ['schedule ls'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: {},
  gives: z.array(scheduleData),
  async run(_, { schedules }) {
    const all = await schedules.list()
    const data = all.map(toScheduleData)
    if (all.length === 0) return info('You have no schedules.', { data })
    return info(`You have ${count(all.length, 'schedule')}.`, {
      table: {
        head: ['ID', 'CONTAINER', 'WHAT', 'WHEN', 'ZONE', 'NEXT', 'LAST'],
        rows: all.map((one) => [
          one.id,
          one.container,
          one.argv ? `run ${one.argv.join(' ')}` : one.verb,
          one.cron,
          one.zone,
          formatTime(one.nextAt),
          one.trouble ?? (one.lastAt ? formatTime(one.lastAt) : '-'),
        ]),
      },
      data,
    })
  },
})
