import type { Command } from '../command/define.ts'
import { usage, wordFor } from '../command/help.ts'
import { type Parsed, parseLine } from '../command/parse.ts'
import { type PlaceName, placeNames, type Places } from '../model/hook.ts'
import { DcmError } from '../reply/error.ts'

const place = /\{([a-z_]{1,20})\}/g

/** A line that was split and read, its places still open. */
export type Template = { command: Command; args: Record<string, unknown>; places: PlaceName[] }

/**
 * Reads a hook's line with its places open. They are filled after this, value by value, so that nothing that a sender
 * says is ever split into words or read as a flag or a command.
 * @throws DcmError `usage` with what would be right
 */
export function readTemplate(commands: readonly Command[], line: string): Template {
  const parsed = parseLine(commands, line)
  const { command, given, reserved } = parsed
  if (command.name === 'help')
    throw new DcmError('usage', 'A hook runs a command that does something; help is for people.')
  if (reserved.as !== undefined)
    throw new DcmError('usage', 'A hook acts for the member whose it is, so its line may not have --as.')
  const lacking = missing(parsed)
  if (lacking.length > 0)
    throw new DcmError('usage', `That line does not say ${lacking.join(' and ')}. Usage: ${usage(command)}`, {
      try: `help ${command.name}`,
    })
  const places = new Set<PlaceName>()
  for (const [key, value] of Object.entries(given))
    for (const text of [value].flat()) {
      if (typeof text !== 'string') continue
      for (const [whole, name] of text.matchAll(place)) {
        const found = placeNames.find((known) => known === name)
        if (found) places.add(found)
        // What runs inside may be a script, and have braces of its own.
        else if (!command.args[key]?.rest)
          throw new DcmError(
            'usage',
            `A hook fills ${placeNames.map((known) => `{${known}}`).join(', ')}; it cannot fill ${whole}.`,
          )
      }
    }
  const args = { ...given, ...(reserved.yes ? { yes: true } : {}), ...(reserved['dry-run'] ? { 'dry-run': true } : {}) }
  return { command, args, places: [...places] }
}

const missing = ({ command, given }: Parsed): string[] =>
  Object.entries(command.args)
    .filter(
      ([name, arg]) =>
        given[name] === undefined && !arg.optional && !arg.rest && arg.default === undefined && arg.kind !== 'flag',
    )
    .map(([name, arg]) => (arg.flag ? `--${name}` : wordFor(name, arg)))

/** Puts values into the places. @throws DcmError `usage` naming what the delivery does not say */
export function fill(template: Template, places: Places): Record<string, unknown> {
  const put = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(put)
    if (typeof value !== 'string') return value
    return value.replace(place, (whole, word: string) => {
      const name = placeNames.find((known) => known === word)
      if (!name) return whole
      const text = places[name]
      if (text === undefined)
        throw new DcmError(
          'usage',
          `This delivery says no ${name} that could be put into the line, so nothing was done.`,
        )
      return text
    })
  }
  return Object.fromEntries(Object.entries(template.args).map(([name, value]) => [name, put(value)]))
}
