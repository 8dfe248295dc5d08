import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { decisions, dryRun } from '../../core/model/audit.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'

export const audit = defineCommand({
  name: 'audit',
  about: 'Show who did what, newest first.',
  examples: ['audit', 'audit --user alice --since 1d', 'audit --since 2026-01-31 --limit 500'],
  needs: 'admin',
  changes: false,
  records: true,
  private: true,
  args: {
    user: {
      kind: 'person-name',
      flag: true,
      optional: true,
      about: 'Only what this member did, or what was done as them.',
    },
    since: { kind: 'when', flag: true, optional: true, about: 'Only since then.' },
    limit: { kind: 'count', flag: true, default: 50, about: 'How many rows at most, up to 1000.' },
  },
  gives: z.array(
    z.object({
      id: z.number().int(),
      at: z.string(),
      actor: z.string().nullable(),
      as: z.string().nullable(),
      surface: z.string(),
      address: z.string().nullable(),
      command: z.string(),
      target: z.string().nullable(),
      decision: z.enum(decisions),
      code: z.string().nullable(),
      operation: z.string().nullable(),
      request: z.string(),
      detail: z.string().nullable(),
    }),
  ),
  async run({ user, since, limit }, { audit: log }) {
    const rows = await log.read({ personName: user, since, limit: Math.min(Math.max(limit, 1), 1000) })
    const who = (row: { actor: string | null; as: string | null }) =>
      `${row.actor ?? 'unknown'}${row.as ? ` as ${row.as}` : ''}`
    return info(
      rows.length === 0
        ? 'Nothing of that kind was recorded.'
        : rows.length === 1
          ? 'This is the last entry.'
          : `These are the last ${rows.length} entries, newest first.`,
      {
        table: {
          head: ['TIME', 'WHO', 'COMMAND', 'TARGET', 'DECISION', 'FROM', 'REQUEST'],
          rows: rows.map((row) => [
            formatTime(row.at),
            who(row),
            row.command,
            row.target ?? '',
            row.code ? `${row.decision} (${row.code})` : row.detail === dryRun ? dryRun : row.decision,
            row.address ? `${row.surface} ${row.address}` : row.surface,
            row.requestId,
          ]),
        },
        data: rows.map((row) => ({
          id: row.id,
          at: row.at.toISOString(),
          actor: row.actor,
          as: row.as,
          surface: row.surface,
          address: row.address,
          command: row.command,
          target: row.target,
          decision: row.decision,
          code: row.code,
          operation: row.operationId,
          request: row.requestId,
          detail: row.detail,
        })),
      },
    )
  },
})
