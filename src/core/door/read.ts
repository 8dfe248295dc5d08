import type { Arg, Command } from '../command/define.ts'
import { usage, wordFor } from '../command/help.ts'
import { kinds } from '../command/kinds.ts'
import type { Lookup } from '../command/lookup.ts'
import type { Given } from '../command/parse.ts'
import { refuseFileName } from '../model/name.ts'
import { DcmError } from '../reply/error.ts'

const show = (value: string) => (value.length > 40 ? `${value.slice(0, 40)}…` : value)

async function readOne(command: Command, name: string, arg: Arg, text: string, lookup: Lookup): Promise<unknown> {
  if (arg.of && !arg.of.includes(text)) throw refuse(command, name, arg, text, `one of ${arg.of.join(', ')}`)
  const file = arg.kind === 'document' && !arg.secret ? refuseFileName(text) : undefined
  if (file) throw new DcmError('usage', file)
  const kind = kinds[arg.kind]
  const value = await kind.read(text, lookup)
  if (value === undefined) throw refuse(command, name, arg, text, kind.hint)
  return value
}

function refuse(command: Command, name: string, arg: Arg, text: string, hint: string): DcmError {
  const shown = arg.secret ? 'That' : `"${show(text)}"`
  const asked = arg.flag || arg.kind === 'flag' ? (arg.short ? `-${arg.short}` : `--${name}`) : name
  return new DcmError('usage', `${shown} is not right for ${asked}: give ${hint}.`, { try: `help ${command.name}` })
}

/** The name of the argument that the door fans out over, when a command has one. */
export const eachArg = (command: Command): string | undefined =>
  Object.entries(command.args).find(([, arg]) => arg.each)?.[0]

/**
 * Turns given text into what `run` takes: things that the caller may use, numbers in base units, defaults.
 * @throws DcmError `usage` naming the argument and what would be right, or whatever its kind says
 */
export async function readArgs(command: Command, given: Given, lookup: Lookup): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const [name, arg] of Object.entries(command.args)) {
    const value = given[name]
    if (value === undefined) {
      if (arg.default !== undefined) values[name] = await readOne(command, name, arg, String(arg.default), lookup)
      else if (arg.rest || arg.many) {
        if (arg.many && !arg.optional) throw missing(command, given, [name])
        values[name] = []
      } else if (arg.kind === 'flag') values[name] = false
      else if (!arg.optional) {
        throw missing(
          command,
          given,
          Object.entries(command.args)
            .filter(
              ([key, one]) =>
                given[key] === undefined &&
                !one.optional &&
                !one.rest &&
                one.default === undefined &&
                one.kind !== 'flag',
            )
            .map(([key]) => key),
        )
      }
    } else if (Array.isArray(value)) {
      if (value.length > 100) throw new DcmError('usage', `${name} takes at most 100 values.`)
      const list: unknown[] = []
      for (const one of value) list.push(await readOne(command, name, arg, one, lookup))
      values[name] = arg.each ? list[0] : list
    } else values[name] = await readOne(command, name, arg, String(value), lookup)
  }
  return values
}

function missing(command: Command, given: Given, names: string[]): DcmError {
  const words = names.map((name) => {
    const arg = command.args[name]!
    return arg.flag ? `--${name}` : wordFor(name, arg)
  })
  const listed =
    command.lists && Object.keys(given).length === 0 ? ` What there is already lists ${command.lists}.` : ''
  return new DcmError('usage', `${command.name} needs ${words.join(' and ')}. Usage: ${usage(command)}${listed}`, {
    try: listed ? command.lists : `help ${command.name}`,
    ask: { command: command.name, given, missing: names },
  })
}
