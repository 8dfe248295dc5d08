import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { nearest } from '../../core/command/nearest.ts'
import { formatTime } from '../../core/model/time.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok, warn } from '../../core/reply/reply.ts'

/** A scope names commands in full, or all of a noun's by the noun. */
function checkCommands(wanted: readonly string[], known: readonly string[]): string[] {
  const accepted = new Set([...known, ...known.filter((name) => name.includes(' ')).map((name) => name.split(' ')[0]!)])
  return [...new Set(wanted.map((name) => name.trim().toLowerCase().replace(/\s+/g, ' ')))].map((name) => {
    if (accepted.has(name)) return name
    const guess = nearest(name, [...accepted])
    throw new DcmError(
      'usage',
      `There is no command ${name.slice(0, 40)} for a token to be limited to${guess ? `; did you mean ${guess}?` : '.'}`,
      { try: 'help' },
    )
  })
}

export const tokenNew = defineCommand({
  name: 'token new',
  aliases: ['token add', 'token create'],
  about: 'Make an API token, shown once; it can be limited to commands and containers.',
  examples: ['token new laptop', 'token new ci --command ps --command restart --container web --for 30d'],
  needs: 'member',
  changes: 'rights',
  records: true,
  private: true,
  args: {
    label: { kind: 'text', about: 'What you call it: letters, digits, ".", "_" and "-".' },
    command: {
      kind: 'command',
      flag: true,
      many: true,
      optional: true,
      about: 'Allow only this command, or a noun such as key; may be given several times.',
    },
    container: {
      kind: 'container-name',
      flag: true,
      many: true,
      optional: true,
      about: 'Allow only your container of this name; may be given several times.',
    },
    for: { kind: 'duration', flag: true, default: '90d', about: 'How long it lives, at most 366d.' },
  },
  gives: z.object({
    id: z.string(),
    label: z.string(),
    token: z.string().describe('The secret: Authorization: Bearer TOKEN.'),
    commands: z.array(z.string()).nullable(),
    containers: z.array(z.string()).nullable(),
    expires_at: z.string(),
  }),
  async run({ label, command, container, for: lives }, { caller, commands: known, containers: { mine }, tokens }) {
    const checked = checkCommands(
      command,
      known.map((one) => one.name),
    )
    const own = container.length > 0 ? (await mine()).containers.map((one) => one.name) : []
    const absent = [...new Set(container)].filter((name) => !own.includes(name))
    const { token, secret } = await tokens.add({
      ownerId: caller.person.id,
      label,
      commands: checked.length > 0 ? checked : null,
      containers: container.length > 0 ? [...new Set(container)] : null,
      lives,
    })
    const { id, commands, containers, expiresAt } = token
    const extras: Parameters<typeof ok>[1] = {
      fields: {
        label,
        'allowed commands': commands?.join(', ') ?? 'all of yours',
        'allowed containers': containers?.join(', ') ?? 'all of yours',
        expires: formatTime(expiresAt),
      },
      code: secret,
      private: true,
      data: { id, label, token: secret, commands, containers, expires_at: expiresAt.toISOString() },
    }
    const text = `This is your token ${label}, shown only this once: keep it as you would a password.`
    if (absent.length === 0) return ok(text, extras)
    return warn(
      `${text} You have no container called ${absent.slice(0, 5).join(' or ')} yet; it is good for one that you create.`,
      extras,
    )
  },
})
