import type { Arg, Command } from '../command/define.ts'
import { kinds } from '../command/kinds.ts'
import type { Lookup } from '../command/lookup.ts'
import { wordFor } from '../command/help.ts'
import { splitWords } from '../command/words.ts'
import { DcmError } from '../reply/error.ts'

/** One field of a form, read off a command's argument. */
export type Field = {
  name: string
  label: string
  about: string
  /** `lines`: one value a line; `words`: split as a shell does. */
  type: 'text' | 'long' | 'choice' | 'flag' | 'lines' | 'words'
  optional: boolean
  choices?: readonly string[]
  /** Its choices depend on the caller: they are what would complete this line. */
  complete?: string
  initial?: string
}

export type Form = { command: string; title: string; about: string; fields: Field[] }

const long = new Set(['line', 'document'])

/** `pids-limit` is «Pids limit», and words that are letters stay so. */
const labelOf = (name: string): string =>
  name === 'ttl' ? 'TTL' : (name[0]!.toUpperCase() + name.slice(1)).replaceAll('-', ' ').replace(/^Cpus$/, 'CPUs')

function fieldOf(command: Command, name: string, arg: Arg, given: unknown): Field {
  const initial =
    typeof given === 'string'
      ? given
      : Array.isArray(given)
        ? given.join('\n')
        : arg.default === undefined
          ? undefined
          : String(arg.default)
  const type =
    arg.kind === 'flag'
      ? 'flag'
      : arg.rest
        ? 'words'
        : arg.of
          ? 'choice'
          : arg.many || arg.each
            ? 'lines'
            : long.has(arg.kind)
              ? 'long'
              : 'text'
  return {
    name,
    label: labelOf(name),
    about: `${arg.about}${arg.of || arg.kind === 'flag' ? '' : ` (${arg.rest ? 'words' : kinds[arg.kind].word || wordFor(name, arg)}${type === 'lines' ? ', one a line' : ''})`}`,
    type: type === 'text' && kinds[arg.kind].names === 'whole' ? 'choice' : type,
    optional: arg.optional === true || arg.rest === true || arg.default !== undefined || arg.kind === 'flag',
    ...(arg.of ? { choices: arg.of } : {}),
    ...(kinds[arg.kind].names === 'whole' ? { complete: `${command.name} ${arg.flag ? `--${name} ` : ''}` } : {}),
    ...(initial === undefined ? {} : { initial }),
  }
}

/** The form of a command: a field for each argument, in order. @returns undefined when there is no such command */
export function formOf(
  commands: readonly Command[],
  name: string,
  given: Record<string, unknown> = {},
): Form | undefined {
  const command = commands.find((one) => one.name === name)
  if (!command || Object.keys(command.args).length === 0) return undefined
  return {
    command: name,
    title: command.name,
    about: command.about,
    fields: Object.entries(command.args).map(([key, arg]) => fieldOf(command, key, arg, given[key])),
  }
}

/** Stands where a name would be looked up: whether it is there is found out when the call is made. */
const unread = new Proxy({} as Lookup, {
  get: (_, key) =>
    key === 'now' ? () => new Date() : () => Promise.reject(new DcmError('usage', 'It is looked up later.')),
})

/**
 * What was put into a form, as the arguments of a call; with a sentence for each field that can be seen to be wrong
 * without asking anything.
 */
export async function readForm(
  commands: readonly Command[],
  name: string,
  values: Record<string, string | boolean | null>,
): Promise<{ args: Record<string, unknown>; wrong: Record<string, string> }> {
  const command = commands.find((one) => one.name === name)
  const args: Record<string, unknown> = {}
  const wrong: Record<string, string> = {}
  if (!command) return { args, wrong: {} }
  for (const [key, arg] of Object.entries(command.args)) {
    const value = values[key]
    const text = typeof value === 'string' ? value.trim() : value
    if (text === undefined || text === null || text === '' || text === false) {
      if (!arg.optional && !arg.rest && arg.default === undefined && arg.kind !== 'flag') wrong[key] = 'This is needed.'
      continue
    }
    if (arg.kind === 'flag') {
      args[key] = true
      continue
    }
    let parts: string[]
    try {
      parts = arg.rest
        ? splitWords(String(text))
        : arg.many || arg.each
          ? String(text)
              .split(/[\n,]+/)
              .map((part) => part.trim())
              .filter((part) => part !== '')
          : [String(text)]
    } catch (error) {
      wrong[key] = (error as Error).message
      continue
    }
    for (const part of parts) {
      const why = kinds[arg.kind].names ? undefined : await refusal(arg, part)
      if (why) wrong[key] ??= why
    }
    args[key] = arg.many || arg.each || arg.rest ? parts : parts[0]
  }
  return { args, wrong }
}

async function refusal(arg: Arg, text: string): Promise<string | undefined> {
  if (arg.of && !arg.of.includes(text)) return `Give one of ${arg.of.join(', ')}.`
  try {
    return (await kinds[arg.kind].read(text, unread)) === undefined ? `Give ${kinds[arg.kind].hint}.` : undefined
  } catch (error) {
    return error instanceof DcmError ? error.message : 'That is not right.'
  }
}
