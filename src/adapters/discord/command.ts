import type { Command } from '../../core/command/define.ts'
import { splitWords } from '../../core/command/words.ts'
import type { ChatFile } from '../../core/chat/file.ts'
import type { Input } from '../../core/chat/outlet.ts'
import { missingAll } from '../../core/chat/typed.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal } from '../../core/reply/reply.ts'
import { type Answer, ephemeral, labelOf, tell } from './answer.ts'
import type { Ack } from './outlet.ts'
import { type Option, pathOf, type Payload, type User } from './payload.ts'
import { findPublished, hasForm, isRequired, lineCommand, types } from './publish.ts'
import { renderProgress, renderReply, renderSure } from './render.ts'
import type { OrForm } from './shown.ts'

/** Makes a call of what was asked for, and its acknowledgement. */
export type Taking = (input: Input, ack: Ack, turns?: true, files?: ChatFile[]) => Answer

/** An option's value as a command takes it. @throws DcmError `usage` for a quote that is not closed */
function valueOf(command: Command, option: Option, users: Record<string, User>): unknown {
  const arg = command.args[option.name]
  if (!arg || option.value === undefined) return option.value
  if (option.type === 6) {
    const user = users[String(option.value)]
    return `<@${option.value}${user ? `|${labelOf(user).replace(/[<>|]/g, '')}` : ''}>`
  }
  if (typeof option.value === 'string' && (arg.many || arg.each || arg.rest)) return splitWords(option.value)
  return option.value
}

/** Makes what answers commands, and whatever is pressed or picked on a message. */
export function createCommands({ commands, orForm }: { commands: readonly Command[]; orForm: OrForm }) {
  function command(payload: Payload, visitor: Visitor, take: Taking, direct: boolean): Answer {
    const { words, options } = pathOf(payload.data)
    let input: Input
    const files: ChatFile[] = []
    let ask: { name: string; given: Record<string, unknown> } | undefined
    if (words.length === 1 && words[0] === lineCommand) {
      const line = String(options[0]?.value ?? '')
      input = { line }
      const bare = missingAll(commands, line)
      if (bare) ask = { name: bare, given: {} }
    } else {
      const found = findPublished(commands, words)
      if (!found)
        return tell(
          refusal(
            new DcmError('usage', 'There is no such command any more; Discord will show the new ones soon.', {
              try: 'help',
            }),
          ),
          direct,
        )
      const args: Record<string, unknown> = {}
      try {
        for (const option of options) {
          const sent = option.type === types.attachment ? payload.data?.resolved?.attachments : undefined
          const file = sent?.[String(option.value)]
          if (file?.url) files.push({ name: file.filename ?? 'file', size: Number(file.size), at: file.url })
          else args[option.name] = valueOf(found, option, payload.data?.resolved?.users ?? {})
        }
      } catch (error) {
        if (!(error instanceof DcmError)) throw error
        return tell(refusal(error), direct)
      }
      input = { name: found.name, args }
      const missing = Object.entries(found.args).some(([name, arg]) => isRequired(arg) && args[name] === undefined)
      if (missing && hasForm(found)) ask = { name: found.name, given: args }
    }
    return ask ? orForm(visitor, ask.name, ask.given, take(input, 5)) : take(input, 5, undefined, files)
  }

  function component(payload: Payload, visitor: Visitor, take: Taking, direct: boolean): Answer {
    const id = payload.data?.custom_id ?? ''
    const what = id.slice(2)
    switch (id.slice(0, 2)) {
      case 'p:':
        return take({ press: what }, 5)
      case 'q:':
        return take({ press: what }, 6)
      case 'd:':
        return { ...take({ press: what }, 7), response: { type: 7, data: renderProgress('working on it') } }
      case 'c:': {
        const button = payload.message?.components
          ?.flatMap((row) => row.components ?? [])
          .find((one) => one.custom_id === id)
        return {
          response: {
            type: 4,
            data: { ...renderSure(what, button?.label ?? 'Go on'), ...(direct ? {} : { flags: ephemeral }) },
          },
        }
      }
      case 'g:': {
        const [page = '', at = ''] = what.split(':')
        return take({ page, at: Number(at) }, 6, true)
      }
      case 's:':
        return take({ page: what, at: Number(payload.data?.values?.[0]) }, 6, true)
      case 'f:':
        return orForm(visitor, what, {}, take({ line: what }, 5))
      case 'n':
        return { response: { type: 7, data: renderReply({ text: 'Nothing was done.', tone: 'info' }) } }
      default:
        return tell(refusal(new DcmError('conflict', 'That button is too old; type the command again.')), direct)
    }
  }

  return { command, component }
}
