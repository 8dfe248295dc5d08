import { z } from 'zod'
import type { Hook } from '../../core/model/hook.ts'
import type { Place } from '../../core/model/place.ts'
import { formatTime } from '../../core/model/time.ts'
import { hookUrl } from '../../core/reply/hook.ts'

/** What machines are told of a hook. */
export const hookData = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  line: z.string(),
  verify: z.string(),
  events: z.array(z.string()),
  conditions: z.array(z.string()),
  expired: z.boolean(),
  expires_at: z.string(),
  previous_until: z.string().nullable(),
  failures: z.number(),
  failed_at: z.string().nullable(),
  created_at: z.string(),
})

export const toHookData = (hook: Hook, place: Place, now: Date): z.infer<typeof hookData> => ({
  id: hook.id,
  name: hook.name,
  url: hookUrl(place, hook),
  line: hook.line,
  verify: hook.verify,
  events: hook.events,
  conditions: hook.conditions,
  expired: hook.expiresAt <= now,
  expires_at: hook.expiresAt.toISOString(),
  previous_until: hook.previousUntil && hook.previousUntil > now ? hook.previousUntil.toISOString() : null,
  failures: hook.failures,
  failed_at: hook.failedAt?.toISOString() ?? null,
  created_at: hook.createdAt.toISOString(),
})

/** The same for people. */
export const toHookFields = (hook: Hook, place: Place, now: Date): Record<string, string> => ({
  name: hook.name,
  runs: hook.line,
  'sent to': hookUrl(place, hook),
  'signed as': hook.verify,
  events: hook.events.join(', ') || 'all',
  ...(hook.conditions.length > 0 ? { 'only if': hook.conditions.join(', ') } : {}),
  expires: hook.expiresAt <= now ? 'expired' : formatTime(hook.expiresAt),
  ...(hook.previousUntil && hook.previousUntil > now ? { 'old secret until': formatTime(hook.previousUntil) } : {}),
  ...(hook.failures > 0 && hook.failedAt
    ? { 'wrong signatures': `${hook.failures}, the last ${formatTime(hook.failedAt)}` }
    : {}),
})

/** The name of a hook of one's own. */
export const hookArg = { kind: 'text', about: 'Its name, as hook ls shows it.' } as const
