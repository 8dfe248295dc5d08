import type { Visitor } from '../../core/model/visitor.ts'
import type { Reply } from '../../core/reply/reply.ts'
import { discordScope } from '../../core/chat/outlet.ts'
import type { User } from './payload.ts'
import { renderReply } from './render.ts'

/** The first answer to an interaction, and what is done once Discord has it. */
export type Answer = { response: Response | Promise<Response>; later?: () => Promise<void> }
export type Response = { type: number; data?: unknown }

/** How long an answer may take that cannot be put off: a form, completions. Discord waits three seconds for it. */
export const quickly = 1500

/** Seen by whoever asked alone. */
export const ephemeral = 64

/** An answer at once. */
export const tell = (reply: Reply, direct: boolean): Answer => ({
  response: { type: 4, data: { ...renderReply(reply), ...(direct ? {} : { flags: ephemeral }) } },
})

export const labelOf = (user: User): string => (user.global_name || user.username || '').slice(0, 80)

/** An account is its user's id, in every server and in direct messages. */
export const visitorOf = (user: User, guild: string | undefined): Visitor => ({
  platform: 'discord',
  scope: discordScope,
  user: user.id,
  label: labelOf(user),
  ...(guild === undefined ? {} : { within: guild }),
})
