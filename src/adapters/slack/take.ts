import type { Chat } from '../../core/chat/chat.ts'
import type { ChatFile } from '../../core/chat/file.ts'
import type { Input } from '../../core/chat/outlet.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal } from '../../core/reply/reply.ts'
import type { Tokens } from './client.ts'
import type { CallAddress } from './outlet.ts'
import { render } from './render.ts'

/** Where an answer goes: back to where something was asked, or to the one who asked, directly. */
export type Back = CallAddress | { kind: 'user'; scope: string; user: string }

/** Stores a call; while that cannot be done, whoever asked is told that nothing was. */
export type Take = (
  visitor: Visitor,
  key: string,
  input: Input,
  address: Back,
  channel: string | undefined,
  files?: ChatFile[],
) => Promise<void>

/** Makes what hands calls over to the core. */
export function createTake({ chat, tokens }: { chat: Chat; tokens: Tokens }): Take {
  return async (visitor, key, input, address, channel, files) => {
    try {
      await chat.take({
        visitor,
        key,
        input,
        address,
        ...(channel ? { channel } : {}),
        ...(files?.length ? { files } : {}),
      })
    } catch (error) {
      const reply = refusal(
        error instanceof DcmError
          ? error
          : new DcmError('unavailable', 'DCM could not take that down, so nothing was done; try again in a minute.'),
      )
      const { text: fallback, blocks } = render({ reply, buttons: [] })
      if (address.kind === 'call' && address.via === 'url')
        await fetch(address.url, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, text: fallback, blocks }),
          signal: AbortSignal.timeout(10_000),
        })
      else if (address.kind === 'call' && address.via === 'message' && tokens.known(address.scope)) {
        const client = await tokens.client(address.scope)
        await client.chat.postEphemeral({ channel: address.channel, user: address.user, text: fallback })
      }
    }
  }
}
