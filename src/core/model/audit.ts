/** What a row of the audit log says of a call; `begun` where it was cut off before its end could be written. */
export const decisions = ['done', 'refused', 'failed', 'begun'] as const
export type Decision = (typeof decisions)[number]

/** What is noted of a call that was only tried, and so has changed nothing. */
export const dryRun = 'dry run'
