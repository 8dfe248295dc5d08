import { Cron } from 'croner'
import { DcmError } from '../reply/error.ts'

const wrong = (cron: string) =>
  new DcmError(
    'usage',
    `"${cron.slice(0, 60)}" is no time table: write minute, hour, day, month and weekday in quotes, like "0 20 * * 1-5".`,
    { try: 'help schedule' },
  )

/**
 * When a time table comes next after a moment. Five fields as in crontab(5), in a zone that the IANA names; where both
 * day and weekday are given either will do, as there.
 * @throws DcmError `usage` for what is no time table or no zone, or never comes
 */
export function nextTime(cron: string, zone: string, after: Date): Date {
  if (!/^[\d*/,\-A-Za-z?L#W]+( [\d*/,\-A-Za-z?L#W]+){4}$/.test(cron)) throw wrong(cron)
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch {
    throw new DcmError('usage', `There is no time zone ${zone.slice(0, 40)}; write one like Europe/Berlin or UTC.`)
  }
  let next: Date | null
  try {
    next = new Cron(cron, { timezone: zone, mode: '5-part' }).nextRun(after)
  } catch (cause) {
    throw new DcmError('usage', wrong(cron).message, { cause, try: 'help schedule' })
  }
  if (!next) throw new DcmError('usage', `"${cron}" never comes.`)
  return next
}
