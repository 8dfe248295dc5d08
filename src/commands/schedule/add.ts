import { z } from 'zod'
import type { Schedule } from '../../core/command/views.ts'
import { scheduledRun, scheduleVerbs } from '../../core/model/schedule.ts'
import { DcmError } from '../../core/reply/error.ts'
import { checkRun } from '../container/exec.ts'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { ok } from '../../core/reply/reply.ts'

/** Machine data of one schedule. */
export const scheduleData = z.object({
  id: z.string(),
  container: z.string(),
  verb: z.enum(scheduleVerbs),
  argv: z.array(z.string()).nullable().describe('What is run, where that is what is done.'),
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
  argv: one.argv,
  cron: one.cron,
  zone: one.zone,
  next_at: one.nextAt.toISOString(),
  last_at: one.lastAt?.toISOString() ?? null,
  trouble: one.trouble,
})

export const schedule = defineCommand({
  name: 'schedule',
  aliases: ['schedule add', 'schedule new', 'schedule create'],
  lists: 'schedule ls',
  about: 'Start or stop a container, or run a program in it, at chosen times.',
  examples: [
    'schedule web stop "0 20 * * 1-5" --tz Europe/Berlin',
    'schedule web start "0 8 * * mon"',
    'schedule web run @daily -- /storage/tidy.sh',
    'schedule web run "0 3 * * *" -- /storage/backup.sh',
  ],
  needs: 'own',
  changes: true,
  args: {
    container: { kind: 'container', about: 'Container it is about.' },
    verb: { kind: 'choice', of: scheduleVerbs, about: 'What is done: start, stop or run.' },
    cron: { kind: 'cron', about: 'When: minute, hour, day, month and weekday, as in crontab, or @daily.' },
    tz: {
      kind: 'text',
      word: 'ZONE',
      about: 'The time zone that is meant, like Europe/Berlin.',
      flag: true,
      default: 'UTC',
    },
    command: { kind: 'argv', rest: true, about: 'What to run; it may take an hour, and you hear when it fails.' },
  },
  gives: scheduleData,
  async run({ container, verb, cron, tz, command }, { schedules }) {
    if (verb === 'run') checkRun(command, scheduledRun, `schedule ${container.name} run "0 3 * * *" -- ls`)
    else if (command.length > 0)
      throw new DcmError('usage', `A program after -- is for run; to ${verb} a container takes none.`, {
        try: 'help schedule',
      })
    const argv = verb === 'run' ? command : null
    const made = await schedules.add({ container, verb, argv, cron, zone: tz })
    const what = verb === 'run' ? `${container.name} will run ${command[0]}` : `${container.name} will ${verb}`
    return ok(`${what} next at ${formatTime(made.nextAt)}; schedule rm ${made.id} ends that.`, {
      data: toScheduleData(made),
    })
  },
})
