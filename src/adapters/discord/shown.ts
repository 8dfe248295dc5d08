import type { Chat } from '../../core/chat/chat.ts'
import { within } from '../../core/chat/within.ts'
import type { Door } from '../../core/door/door.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import { type Answer, quickly, type Response } from './answer.ts'
import { askedFor, toModal } from './form.ts'

/** Shows a command's form; where none can be had, the call is made and says what is missing. */
export type OrForm = (visitor: Visitor, name: string, given: Record<string, unknown>, otherwise: Answer) => Answer

/** Makes what shows forms. */
export function createForms({ door, chat }: { door: Door; chat: Chat }): OrForm {
  const { commands } = door

  /** Shows a form, or nothing when it cannot be had in time or its reader is nobody. */
  async function form(visitor: Visitor, name: string, given: Record<string, unknown>): Promise<Response | undefined> {
    const actor = await within(chat.identify(visitor), quickly)
    if (actor && !actor.person) return undefined
    const choices: Record<string, string[]> = {}
    if (actor)
      await within(
        Promise.all(
          askedFor(commands, name, given).map(
            async (field) => void (choices[field.name] = await door.complete(actor, field.line)),
          ),
        ),
        quickly,
      )
    const modal = toModal(commands, name, given, choices)
    return modal && { type: 9, data: modal }
  }

  // It is an answer of its own, and the only one.
  return (visitor, name, given, otherwise) => {
    const shown = form(visitor, name, given)
    return {
      response: shown.then((modal) => modal ?? otherwise.response),
      async later() {
        if (!(await shown)) await otherwise.later?.()
      },
    }
  }
}
