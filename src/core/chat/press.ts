import { newId } from '../model/id.ts'
import type { Actor } from '../model/person.ts'
import type { Works } from '../operation/define.ts'
import { findCommand } from '../command/find.ts'
import { splitWords } from '../command/words.ts'
import type { Command } from '../command/define.ts'
import { stranger } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import { info, refusal, type Reply } from '../reply/reply.ts'
import { formatVisitor } from '../model/visitor.ts'
import type { ButtonRow } from '../store/outbox.ts'

/** What a press comes to: a line to carry out with the presser's own rights, or an answer at once. */
export type Pressed = { line: string; instead: boolean; button: ButtonRow; who: string }
export type Press = Pressed | { reply: Reply; instead: boolean }

/** Who somebody is for a button: the member, or the account of somebody whom DCM does not know. */
export const presser = (actor: Actor): string | null =>
  actor.person?.id ?? (actor.visitor ? formatVisitor(actor.visitor) : null)

/**
 * Finds out what pressing a button means. Whoever presses is checked like anyone who types; what destroys is its
 * asker's alone; what changes anything is taken once from each.
 */
export async function readPress(
  works: Works,
  commands: readonly Command[],
  actor: Actor,
  id: string,
  requestId: string,
  again: boolean,
): Promise<Press> {
  const { store, seal } = works
  const button = await store.outbox.button(id)
  const who = presser(actor)
  if (!button || who === null)
    return {
      reply: refusal(
        new DcmError('conflict', 'That button is too old or its question is answered; type the command again.'),
      ),
      instead: false,
    }
  if (button.bound && button.asker !== who) {
    const reply = refusal(new DcmError('denied', 'That button is for whoever asked; type the command yourself.'))
    await store.audit.add({
      actorId: actor.person?.id ?? null,
      actor: actor.person?.name ?? null,
      as: null,
      surface: actor.surface,
      address: actor.address ?? null,
      command: 'button',
      decision: 'refused',
      code: 'denied',
      requestId: requestId || newId(works.random),
      detail: reply.text,
    })
    return { reply, instead: false }
  }
  // Somebody whom DCM does not know may use what stands on their own messages, and learns nothing of others'.
  if (!actor.person && button.asker !== who) return { reply: refusal(stranger()), instead: false }
  const { instead } = button
  if (button.line === null) {
    if (button.outboxId) await store.outbox.removeButtons(button.outboxId)
    return { reply: info('Nothing was done.'), instead }
  }
  const line = seal.open(button.line, `button/${id}`)
  const changes = button.bound || changing(commands, line)
  if (changes && !again && !(await store.outbox.press(id, who)))
    return { reply: info('You pressed that already; it was done once.'), instead: false }
  return { line, instead, button, who }
}

function changing(commands: readonly Command[], line: string): boolean {
  try {
    return findCommand(commands, splitWords(line)).command.changes !== false
  } catch {
    return false
  }
}

/** What is done about the button once its line has been answered: a question that was answered is over, a failure may be tried again. */
export async function afterPress(works: Works, press: Pressed, reply: Reply): Promise<void> {
  const { outbox } = works.store
  if (reply.error) await outbox.unpress(press.button.id, press.who)
  else if (press.button.instead && press.button.outboxId) await outbox.removeButtons(press.button.outboxId)
}
