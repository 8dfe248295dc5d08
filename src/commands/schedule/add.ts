import { z } from 'zod'
import type { Schedule } from '../../core/command/context.ts'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { ok } from '../../core/reply/reply.ts'

/** Machine data of one schedule. */
export const scheduleData = z.object({
  id: z.string(),
  container: z.string(),
  verb: z.enum(['start', 'stop']),
  cron: z.string(),
  zone: z.string(),
  next_at: z.string(),
  last_at: z.string().nullable(),
  trouble: z.string().nullable().describe('Why the last time was not done; null when it was begun.'),
})

/** A schedule as machine data. */
export const toScheduleData = (one: Schedule): z.infer<typeof scheduleData> => ({
  id: one.id,
  container: one.container,
  verb: one.verb,
  cron: one.cron,
  zone: one.zone,
  next_at: one.nextAt.toISOString(),
  last_at: one.lastAt?.toISOString() ?? null,
  trouble: one.trouble,
})

export const schedule = defineCommand({
  name: 'schedule',
  about: 'Start or stop a container at chosen times.',
  examples: ['schedule web stop "0 20 * * 1-5" --tz Europe/Berlin', 'schedule web start "0 8 * * mon"'],
  needs: 'own',
  changes: true,
  args: {
    container: { kind: 'container', about: 'Container it is about.' },
    verb: { kind: 'choice', of: ['start', 'stop'], about: 'What is done: start or stop.' },
    cron: { kind: 'text', about: 'When: minute, hour, day, month and weekday, as in crontab.' },
    tz: { kind: 'text', about: 'The time zone that is meant, like Europe/Berlin.', flag: true, default: 'UTC' },
  },
  gives: scheduleData,
  async run({ container, verb, cron, tz }, { schedules }) {
    const made = await schedules.add({ container, verb, cron, zone: tz })
    return ok(
      `${container.name} will ${verb} at ${formatTime(made.nextAt)} for the next time; schedule rm ${made.id} ends that.`,
      { data: toScheduleData(made) },
    )
  },
})
