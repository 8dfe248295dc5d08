import { Routes } from 'discord.js'
import type { Log } from '../../core/model/log.ts'
import { type Api, codeOf, codes } from './api.ts'

/** Whether somebody is in one of the servers that DCM is for. */
export type Members = { check(user: string): Promise<'yes' | 'no' | 'unknown'> }

/** How long a yes holds, so that who types much does not cost a request for each line; a no is never kept. */
const fresh = 60_000
/** How long it holds while Discord does not answer. */
const stale = 15 * 60_000

/** Asks Discord who is in its servers, which needs no privileged intent: «Get Guild Member». */
export function createMembers(
  api: Api,
  guilds: readonly string[] | undefined,
  log: Log,
  now: () => number = Date.now,
): Members {
  const seen = new Map<string, number>()
  return {
    async check(user) {
      if (!guilds) return 'yes'
      const last = seen.get(user) ?? -Infinity
      if (now() - last < fresh) return 'yes'
      let unknown = false
      for (const guild of guilds)
        try {
          await api.bot('get', Routes.guildMember(guild, user))
          if (seen.size > 10_000) seen.clear()
          seen.set(user, now())
          return 'yes'
        } catch (error) {
          const code = codeOf(error)
          // A server that DCM was thrown out of has no members as far as DCM can know.
          if (code === codes.unknownMember || code === codes.unknownGuild || code === codes.missingAccess) continue
          log.debug({ problem: api.known(error) }, 'Discord: a membership could not be looked up')
          unknown = true
        }
      if (!unknown) {
        seen.delete(user)
        return 'no'
      }
      return now() - last < stale ? 'yes' : 'unknown'
    },
  }
}
