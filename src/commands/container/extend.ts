import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { containerData, toData } from '../../core/reply/container.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const extend = defineCommand({
  name: 'extend',
  about: 'Let a container that was created with --ttl live longer.',
  examples: ['extend web 3d', 'extend web --forever'],
  needs: 'own',
  changes: true,
  args: {
    container: { kind: 'container', about: 'Container that lives longer.' },
    time: { kind: 'duration', about: 'By how much.', optional: true },
    forever: { kind: 'flag', about: 'It has no end any more.' },
  },
  gives: containerData,
  async run({ container, time, forever }, { time: clock, place }) {
    if ((time === undefined) === !forever)
      throw new DcmError('usage', 'extend takes either a time like 3d or --forever.', { try: 'help extend' })
    if (container.expiresAt === null)
      throw new DcmError(
        'conflict',
        `${container.name} has no end: it was not created with --ttl, or was extended --forever.`,
      )
    const expiresAt = await clock.extend(container, forever ? null : time!)
    const text = expiresAt
      ? `${container.name} will be removed at ${formatTime(expiresAt)}.`
      : `${container.name} has no end any more.`
    return ok(text, { data: toData({ ...container, expiresAt }, place) })
  },
})
