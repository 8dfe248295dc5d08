/** What can be done to a container at chosen times. */
export const scheduleVerbs = ['start', 'stop', 'run'] as const
export type ScheduleVerb = (typeof scheduleVerbs)[number]

/** How long a scheduled program may run, in milliseconds. */
export const scheduledRun = 3_600_000
