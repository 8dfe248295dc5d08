import type { Chat } from '../../core/chat/chat.ts'
import type { Errand } from '../../core/chat/outlet.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal, type Reply } from '../../core/reply/reply.ts'
import type { Log } from '../../core/model/log.ts'
import type { Api } from './api.ts'
import { answerNow, type CallAddress, refuse } from './outlet.ts'
import type { Place } from './place.ts'

export type Take = (errand: Omit<Errand, 'address'> & { address: CallAddress }) => Promise<void>

/** Makes what hands calls over to the core. */
export function createTake({ chat, api, log, place }: { chat: Chat; api: Api; log: Log; place: Place }): Take {
  /** Stores a call; what cannot be stored is said where it came from. */
  return async (errand) => {
    const say = (reply: Reply) =>
      answerNow(api, errand.address, reply).catch((error: unknown) =>
        log.warn({ problem: api.known(error) }, 'Discord: a refusal could not be told'),
      )
    try {
      const gone = await place.stays(errand.visitor)
      if (gone) return await say(refuse(gone))
      await chat.take(errand)
    } catch (error) {
      if (!(error instanceof DcmError)) log.warn({ err: error }, 'Discord: a call broke before it was stored')
      await say(
        refusal(
          error instanceof DcmError
            ? error
            : new DcmError('unavailable', 'DCM could not take that down, so nothing was done; try again in a minute.'),
        ),
      )
    }
  }
}
