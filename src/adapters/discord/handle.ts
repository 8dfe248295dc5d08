import type { Chat } from '../../core/chat/chat.ts'
import type { ChatFile } from '../../core/chat/file.ts'
import type { Input } from '../../core/chat/outlet.ts'
import type { Door } from '../../core/door/door.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal } from '../../core/reply/reply.ts'
import type { Log } from '../../core/model/log.ts'
import { type Answer, ephemeral, tell, visitorOf } from './answer.ts'
import type { Api } from './api.ts'
import { createCommands } from './command.ts'
import { createComplete } from './complete.ts'
import { fromModal } from './form.ts'
import type { Members } from './members.ts'
import { createMessage } from './message.ts'
import { type Ack, answerNow, type InteractionAddress, refuse } from './outlet.ts'
import { kinds, type Payload } from './payload.ts'
import { createPlace, notHere } from './place.ts'
import { createForms } from './shown.ts'
import { createTake } from './take.ts'

export type HandleDeps = {
  door: Door
  chat: Chat
  api: Api
  members: Members
  log: Log
  now(): number
  /** Servers that DCM may be used in; any, when absent. */
  guilds: readonly string[] | undefined
}

/** One handler for interactions, however they come, and for typed messages. Nothing here waits before the first answer but what has to be in it. */
export function createHandle(deps: HandleDeps) {
  const { door, chat, api, log } = deps
  const { commands } = door
  const place = createPlace(deps)
  const take = createTake({ chat, api, log, place })
  const complete = createComplete({ door, chat, place })
  const { command, component } = createCommands({ commands, orForm: createForms(deps) })

  function interaction(payload: Payload): Answer {
    const user = payload.member?.user ?? payload.user
    const guild = payload.guild_id
    const direct = guild === undefined
    const no = place.refusedHere(payload, user)
    if (no || !user)
      return payload.type === kinds.autocomplete
        ? { response: { type: 8, data: { choices: [] } } }
        : tell(refuse(no ?? notHere.bot), direct)
    const visitor = visitorOf(user, guild)
    const channel = payload.channel_id ?? ''
    const at = deps.now()

    const call = (input: Input | (() => Promise<Input>), ack: Ack, turns?: true, files?: ChatFile[]): Answer => {
      const address: InteractionAddress = {
        kind: 'call',
        scope: payload.id,
        via: 'interaction',
        application: payload.application_id,
        token: payload.token,
        at,
        ack,
        user: user.id,
        channel,
        direct,
        ...(turns ? { turns } : {}),
      }
      return {
        // What is refused, asked or shown is for whoever asked alone: a channel hears of it by --post only.
        response: ack === 5 ? { type: 5, ...(direct ? {} : { data: { flags: ephemeral } }) } : { type: 6 },
        async later() {
          let given: Input
          try {
            given = typeof input === 'function' ? await input() : input
          } catch (error) {
            if (!(error instanceof DcmError)) throw error
            await answerNow(api, address, refusal(error))
            return
          }
          await take({
            visitor,
            key: `i:${payload.id}`,
            input: given,
            address,
            channel: direct ? 'a direct message' : `${guild}/${channel}`,
            ...(files?.length ? { files } : {}),
          })
        },
      }
    }

    switch (payload.type) {
      case kinds.command:
        return command(payload, visitor, call, direct)
      case kinds.component:
        return component(payload, visitor, call, direct)
      case kinds.autocomplete:
        return { response: complete(payload, visitor) }
      case kinds.form: {
        const name = (payload.data?.custom_id ?? '').replace(/^form:/, '')
        return call(async () => ({ name, args: await fromModal(commands, name, payload.data?.components ?? []) }), 5)
      }
      default:
        return tell(refuse('DCM does not know what to do with that.'), direct)
    }
  }

  return { interaction, message: createMessage({ commands, place, take }) }
}

export type Handle = ReturnType<typeof createHandle>
