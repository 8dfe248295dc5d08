import { join } from 'shlex'
import type { Command } from '../command/define.ts'
import type { KindName } from '../command/kinds.ts'
import type { Given, Parsed } from '../command/parse.ts'
import { untypeset } from '../command/words.ts'
import { parseDuration } from '../model/units.ts'
import type { Confirmation } from '../reply/confirm.ts'
import { DcmError } from '../reply/error.ts'
import type { Reply } from '../reply/reply.ts'
import { printable } from '../reply/text.ts'
import type { Call, Waiting } from './door.ts'

/** Kinds of argument that hold words, which name nothing. */
const wordy: ReadonlySet<KindName> = new Set(['flag', 'line', 'prose'])

/** What a call is about, for the audit row: its plain positional names, never a secret, nor what is written for somebody. */
export function targetOf({ command, given }: Parsed): string | null {
  const names = Object.entries(command.args)
    .filter(([, arg]) => !arg.flag && !arg.rest && !arg.secret && !wordy.has(arg.kind))
    .flatMap(([name]) => given[name] ?? [])
    .filter((value) => typeof value === 'string')
  return names.length > 0 ? printable(names.join(' ')).slice(0, 200) : null
}

/** The member whom a call that could not be read names by `--as`. */
export function namedAs(input: Call['input']): string | undefined {
  if ('name' in input) return typeof input.args['as'] === 'string' ? input.args['as'] : undefined
  const words = 'line' in input ? untypeset(input.line).split(/\s+/) : input.words
  const own = words.slice(0, words.includes('--') ? words.indexOf('--') : undefined)
  return (
    own.find((word) => word.startsWith('--as='))?.slice('--as='.length) ??
    (own.includes('--as') ? own[own.indexOf('--as') + 1] : undefined)
  )
}

const longest = 300_000

/** How long a call waits that says so itself by `--wait`, where its way waits longer. @throws DcmError `usage` */
export function waitingOf({ reserved }: Parsed, waiting: Waiting): Waiting {
  if (reserved.wait === undefined) return waiting
  const wait = /^0s?$/.test(reserved.wait) ? 0 : parseDuration(reserved.wait)
  if (wait === undefined || wait > longest)
    throw new DcmError('usage', '--wait is a time up to 5m, like 30s; outcome tells later how it ended.')
  return { ...waiting, wait: Math.min(wait, waiting.wait ?? Infinity) }
}

/** The same call with `--yes`, and with what the question `adds`. */
export function confirming({ command, reserved }: Parsed, given: Given, adds: Record<string, true>): Confirmation {
  const words = lineOf(command, { ...given, ...adds })
  const inside = words.indexOf('--')
  const added = [...(reserved.as ? ['--as', reserved.as] : []), ...(reserved.post ? ['--post'] : [])]
  // What a question adds is said with it, so that nothing is left to ask.
  if (Object.keys(adds).length === 0) added.push('--yes')
  words.splice(inside < 0 ? words.length : inside, 0, ...added)
  return { confirm: true, line: join(words), words, adds }
}

/** Writes a call as the line that would make it. */
function lineOf(command: Command, given: Given): string[] {
  const words = command.name.split(' ')
  for (const [name, value] of Object.entries(given)) {
    const arg = command.args[name]!
    if (arg.rest) continue
    for (const text of Array.isArray(value) ? value : [value]) {
      if (arg.kind === 'flag') words.push(...(text === true || text === 'true' ? [`--${name}`] : []))
      else words.push(...(arg.flag ? [`--${name}`] : []), String(text))
    }
  }
  const rest = Object.entries(command.args).find(([, arg]) => arg.rest)?.[0]
  const after = rest ? given[rest] : undefined
  return Array.isArray(after) && after.length > 0 ? [...words, '--', ...after] : words
}

/**
 * The lines that a reply offers, for the member as whom it was said: without it they would be about the admin's own
 * things of the same names.
 */
export function actAs(reply: Reply, as: string | undefined): Reply {
  if (as === undefined || !reply.actions) return reply
  const line = (typed: string) => {
    if (/(^help\b)|( --as[ =])/.test(typed)) return typed
    const at = typed.indexOf(' -- ')
    return at < 0 ? `${typed} --as ${as}` : `${typed.slice(0, at)} --as ${as}${typed.slice(at)}`
  }
  return { ...reply, actions: reply.actions.map((action) => ({ ...action, line: line(action.line) })) }
}
