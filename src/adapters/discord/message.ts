import type { Command } from '../../core/command/define.ts'
import { parseWords } from '../../core/command/parse.ts'
import { splitWords, untypeset } from '../../core/command/words.ts'
import { visitorOf } from './answer.ts'
import type { MessageAddress } from './outlet.ts'
import type { Message } from './payload.ts'
import type { Place } from './place.ts'
import type { Take } from './take.ts'

/** Makes what hears lines that are typed to the bot. */
export function createMessage({ commands, place, take }: { commands: readonly Command[]; place: Place; take: Take }) {
  /**
   * Whether the answer to a line is for its author alone, which has to be known before it runs. In a channel nothing can
   * be shown to one person, so only what is about nobody is answered there: help, and lines that are no command.
   */
  function isPrivate(line: string): boolean {
    try {
      const { command } = parseWords(commands, splitWords(untypeset(line)))
      return command.private === true || command.needs !== 'anyone'
    } catch {
      return false
    }
  }

  /** A line that was typed to the bot: in a direct message, or after its name in a channel. */
  async function message(payload: Message, self: string): Promise<void> {
    const { author, guild_id: guild, channel_id: channel } = payload
    if (author.bot || author.system || payload.webhook_id !== undefined || author.id === self) return
    // 0 a message, 19 an answer to one; all others are Discord's own.
    if (payload.type !== undefined && payload.type !== 0 && payload.type !== 19) return
    const direct = guild === undefined
    const mention = new RegExp(`^\\s*<@!?${self}>[\\s,:]*`)
    if (!direct && !mention.test(payload.content)) return
    if (!direct && !place.isOurs(guild)) return
    const line = payload.content.replace(mention, '').trim() || 'help'
    const address: MessageAddress = {
      kind: 'call',
      scope: payload.id,
      via: 'message',
      channel,
      message: payload.id,
      user: author.id,
      direct,
      quiet: isPrivate(line),
    }
    await take({
      visitor: visitorOf(author, guild),
      key: `m:${payload.id}`,
      input: { line },
      address,
      channel: direct ? 'a direct message' : `${guild}/${channel}`,
    })
  }

  return message
}
