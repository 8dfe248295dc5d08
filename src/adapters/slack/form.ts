import type { Chat } from '../../core/chat/chat.ts'
import { formOf } from '../../core/chat/form.ts'
import { within } from '../../core/chat/within.ts'
import type { Door } from '../../core/door/door.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import type { Log } from '../../core/model/log.ts'
import type { Tokens } from './client.ts'
import { type Metadata, modal } from './modal.ts'
import { part } from './payload.ts'

/** What a button asks for that opens a form. */
export type Ask = { command: string; given?: Record<string, unknown> }

/** How long what has to come before a trigger runs out may take. */
const quickly = 1500

/** Opens a command's form. @returns whether it is open, so that nothing else needs to be said */
export type OpenForm = (
  visitor: Visitor,
  scope: string,
  trigger: string,
  ask: Ask,
  reply: Metadata['reply'],
) => Promise<boolean>

/** Makes what opens forms: a modal with the choices of whoever asked, within the time that a trigger lives. */
export function createForms(deps: { door: Door; chat: Chat; tokens: Tokens; log: Log }): OpenForm {
  const { door, chat, tokens, log } = deps
  return async (visitor, scope, trigger, ask, reply) => {
    const form = formOf(door.commands, ask.command, ask.given)
    const actor = form && (await within(chat.identify(visitor), quickly))
    if (!form || !actor?.person) return false
    const choices: Record<string, string[]> = {}
    const looked = form.fields.filter((field) => field.complete !== undefined)
    await within(
      Promise.all(
        looked.map(async (field) => void (choices[field.name] = await door.complete(actor, field.complete!))),
      ),
      quickly,
    )
    const view = modal(form, choices, { command: ask.command, reply })
    if (JSON.stringify(view['private_metadata']).length > 3000) return false
    try {
      const client = await tokens.client(scope)
      await client.views.open({ trigger_id: trigger, view: view as never })
      return true
    } catch (err) {
      log.debug({ err }, 'a form could not be opened')
      return false
    }
  }
}

/** @returns undefined for what is on no button of ours */
export function readAsk(value: string): Ask | undefined {
  try {
    const ask = part(JSON.parse(value))
    return typeof ask['command'] === 'string' ? { command: ask['command'], given: part(ask['given']) } : undefined
  } catch {
    return undefined
  }
}

/** @returns undefined for what no form of ours carries */
export function readMetadata(value: string): Metadata | undefined {
  try {
    const read = part(JSON.parse(value))
    return typeof read['command'] === 'string' ? { command: read['command'], reply: part(read['reply']) } : undefined
  } catch {
    return undefined
  }
}
