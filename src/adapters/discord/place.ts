import type { Chat } from '../../core/chat/chat.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import type { Members } from './members.ts'
import type { Payload, User } from './payload.ts'

export const notHere = {
  bot: 'DCM takes commands from people only.',
  person: 'DCM works where it was added to a server; what a person has added for themselves may not use it.',
  group: 'DCM works in its server and in direct messages with it, and nowhere else.',
  guild: 'DCM is not for this server.',
  left: 'DCM is for the members of its server, and you are not one any more.',
  unknown:
    'DCM could not find out whether you are still a member of its server, so nothing was done; try again in a minute.',
}

/** Makes what says who may use DCM where. `guilds`: servers that it may be used in; any, when absent. */
export function createPlace({
  chat,
  members,
  guilds,
}: {
  chat: Chat
  members: Members
  guilds: readonly string[] | undefined
}) {
  /** Why somebody may not use DCM where they are, as far as the payload says. */
  function refusedHere(payload: Payload, user: User | undefined): string | undefined {
    const owners = payload.authorizing_integration_owners
    if (!user || user.bot || user.system) return notHere.bot
    if (owners && owners['0'] === undefined) return notHere.person
    if (payload.guild_id === undefined && payload.context === 2) return notHere.group
    if (payload.guild_id !== undefined && guilds && !guilds.includes(payload.guild_id)) return notHere.guild
    return undefined
  }

  /** Outside of a server, whether somebody is in one has to be asked. A word why not, when not. */
  async function stays(visitor: Visitor): Promise<string | undefined> {
    if (!guilds || visitor.within !== undefined) return undefined
    const there = await members.check(visitor.user)
    if (there === 'yes') return undefined
    if (there === 'no') await chat.left(visitor)
    return there === 'no' ? notHere.left : notHere.unknown
  }

  /** Whether a server is one that DCM may be used in. */
  const isOurs = (guild: string): boolean => !guilds || guilds.includes(guild)

  return { refusedHere, stays, isOurs }
}

export type Place = ReturnType<typeof createPlace>
