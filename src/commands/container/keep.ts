import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { formatDuration } from '../../core/model/units.ts'
import { containerData, toData } from '../../core/reply/container.ts'
import { ok } from '../../core/reply/reply.ts'

export const keep = defineCommand({
  name: 'keep',
  about: 'Do not stop a container for being idle.',
  examples: ['keep web 8h', 'keep web --off'],
  needs: 'own',
  changes: true,
  args: {
    container: { kind: 'container', about: 'Container that goes on.' },
    time: { kind: 'duration', about: 'For how long.', default: '8h' },
    off: { kind: 'flag', about: 'It may be stopped again like any other.' },
  },
  gives: containerData,
  async run({ container, time, off }, { time: clock, place }) {
    const { until, idleStop } = await clock.keep(container, off ? null : time)
    const here =
      idleStop === null
        ? ' Nothing is stopped for being idle here, though.'
        : ` Otherwise that happens after ${formatDuration(idleStop)}.`
    const text = until
      ? `${container.name} is not stopped for being idle until ${formatTime(until)}.${here}`
      : `${container.name} may be stopped for being idle again.`
    return ok(text, { data: toData({ ...container, keepUntil: until }, place) })
  },
})
