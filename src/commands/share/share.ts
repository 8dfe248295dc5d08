import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import type { ShareLevel } from '../../core/model/container.ts'
import { formatTime } from '../../core/model/time.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

/** Machine data of one share. */
export const shareData = z.object({
  container: z.string(),
  owner: z.string(),
  member: z.string(),
  level: z.enum(['view', 'exec', 'ssh']),
  expires_at: z.string(),
})

const longest = 90 * 86_400_000
type Levels = { view: boolean; exec: boolean; ssh: boolean }

function levelOf(wish: Levels): ShareLevel {
  const chosen = (['view', 'exec', 'ssh'] as const).filter((level) => wish[level])
  if (chosen.length > 1)
    throw new DcmError('usage', 'Choose one of --view, --exec and --ssh; each holds those before it.', {
      try: 'help share',
    })
  return chosen[0] ?? 'view'
}

export const share = defineCommand({
  name: 'share',
  about: 'Let another member look at a container, enter it through DCM, or log in to it.',
  examples: ['share web bob --for 2d', 'share web bob --ssh --for 8h'],
  needs: 'own',
  changes: 'rights',
  args: {
    container: { kind: 'container', about: 'Container to share.' },
    member: { kind: 'person-name', about: 'With whom.' },
    view: { kind: 'flag', about: 'They may see it, its log and what it takes; so it is when nothing is said.' },
    exec: { kind: 'flag', about: 'They may also enter it through DCM: as root, with your /storage in it.' },
    ssh: { kind: 'flag', about: 'They may also log in at its own port with their own keys.' },
    for: { kind: 'duration', about: 'For how long, up to 90d.', flag: true, default: '2d' },
  },
  gives: shareData,
  async confirms(args, { shares }) {
    const { container, member, exec, ssh } = args
    if (!exec && !ssh) return undefined
    levelOf(args)
    await shares.check(container, member)
    return `Let ${member} into ${container.name}? They are root inside, and read and write all of your /storage.`
  },
  async run(args, { shares }) {
    const level = levelOf(args)
    const made = await shares.add(args.container, args.member, level, Math.min(args.for, longest))
    const what = { view: 'look at', exec: 'look at and enter', ssh: 'look at, enter and log in to' }[level]
    return ok(
      `${made.guest} may ${what} ${made.container} until ${formatTime(made.expiresAt)}, as ${made.owner}/${made.container}.`,
      {
        data: {
          container: made.container,
          owner: made.owner,
          member: made.guest,
          level,
          expires_at: made.expiresAt.toISOString(),
        },
        actions: [{ label: 'End it', line: `unshare ${made.container} ${made.guest}` }],
      },
    )
  },
})
