import { split } from 'shlex'
import { DcmError } from '../reply/error.ts'
import type { Arg, Command } from './define.ts'
import { usage } from './help.ts'
import { nearest } from './nearest.ts'

/** Argument values as text, before their kinds read them. */
export type Given = Record<string, string | string[] | boolean>

/** Words that mean the same to every command. */
export type Reserved = { as?: string; yes: boolean; json: boolean; wait?: string; 'dry-run': boolean }
export type Parsed = { command: Command; given: Given; reserved: Reserved }

/** The reserved arguments, for help and for machines. */
export const reserved = {
  as: { kind: 'person-name', flag: true, optional: true, about: 'Act for this member, with exactly their rights (admins).' },
  yes: { kind: 'flag', flag: true, optional: true, about: 'Confirm what would otherwise be asked.' },
  json: { kind: 'flag', flag: true, optional: true, about: 'Print the whole reply as JSON.' },
  wait: { kind: 'duration', flag: true, optional: true, about: 'How long to wait for the outcome.' },
  'dry-run': { kind: 'flag', flag: true, optional: true, about: 'Say what would happen, and do nothing.' },
} as const satisfies Record<keyof Reserved, Arg>

/**
 * Undoes what chat clients and phones do to typed text: curly quotes, a dash fused from `--`, links made of names,
 * and bold or code marks around the whole line.
 */
export function untypeset(line: string): string {
  return line
    .replace(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"')
    .replace(/[\u2018\u2019\u201a]/g, "'")
    .replace(/(^|\s)[\u2013\u2014](?=[a-z])/g, '$1--')
    .replace(/(^|\s)[\u2013\u2014](?=\s|$)/g, '$1--')
    .replace(/<(?:https?:\/\/|mailto:)[^|<>\s]*\|([^<>]*)>/g, '$1')
    .replace(/<(https?:\/\/[^|<>\s]*)>/g, '$1')
    .replace(/\u00a0/g, ' ')
    .trim()
    .replace(/^(\*{1,2}|`{1,3}|_)(.*\S)\1$/s, '$2')
    .replace(/^\/?dcm\s+/, '')
}

/** Splits a typed line into words, as a POSIX shell quotes them and without anything else a shell does. */
function words(line: string): string[] {
  if (line.length > 65_536) throw new DcmError('usage', 'That line is longer than 65536 characters.')
  try {
    return split(untypeset(line))
  } catch (cause) {
    throw new DcmError('usage', 'A quote in that line is not closed; put "…" around the whole value.', { cause })
  }
}

const isPositional = (arg: Arg) => !arg.flag && !arg.rest && arg.kind !== 'flag'

/** Finds the command that the first words name; the longest name wins. */
export function findCommand(commands: readonly Command[], typed: readonly string[]): { command: Command; used: number } {
  for (const used of [3, 2, 1]) {
    if (typed.length < used) continue
    const name = typed.slice(0, used).join(' ').toLowerCase()
    const command = commands.find((known) => known.name === name || known.aliases?.includes(name))
    if (command) return { command, used }
  }
  const first = (typed[0] ?? '').toLowerCase()
  const group = commands.filter((known) => known.name.startsWith(`${first} `))
  if (first && group.length > 0) {
    const guess = typed[1] === undefined ? undefined : nearest(typed[1], group.map((known) => known.name.slice(first.length + 1)))
    const list = group.map((known) => known.name).join(', ')
    throw new DcmError('usage', `${first} takes one of: ${list}.`, { try: guess ? `${first} ${guess}` : `help ${first}` })
  }
  const guess = nearest(first, commands.flatMap((known) => [known.name, ...(known.aliases ?? [])]))
  const shown = first.slice(0, 40)
  throw new DcmError('usage', `There is no command ${shown || '(empty)'}${guess ? `; did you mean ${guess}?` : '.'}`, { try: guess ?? 'help' })
}

/** Reads one typed line. @throws DcmError `usage` with the nearest thing that would have worked */
export const parseLine = (commands: readonly Command[], line: string): Parsed => parseWords(commands, words(line))

/** Reads words that something else has already split: an argv, or a line's. */
export function parseWords(commands: readonly Command[], typed: readonly string[]): Parsed {
  const { command, used } = findCommand(commands, typed)
  const given: Given = {}
  const own: Given = {}
  const positional = Object.entries(command.args).filter(([, arg]) => isPositional(arg))
  const rest = Object.entries(command.args).find(([, arg]) => arg.rest)
  let next = 0

  const put = (name: string, arg: Arg, value: string | true, into = given) => {
    if (arg.many || arg.each) into[name] = [...((into[name] as string[] | undefined) ?? []), String(value)]
    else if (name in into) throw refuse(command, `--${name} is given twice.`)
    else into[name] = value
  }

  const flag = (name: string, inline: string | undefined, shown: string, at: number): number => {
    const mine = Object.entries(command.args).find(([key, arg]) => (name.length === 1 ? arg.short === name : key === name) && (arg.flag || arg.kind === 'flag'))
    const known = mine ?? (name in reserved ? ([name, reserved[name as keyof Reserved]] as const) : undefined)
    if (!known) {
      const flags = Object.entries(command.args).filter(([, arg]) => !isPositional(arg) && !arg.rest).map(([key]) => key)
      const guess = nearest(name, [...flags, ...Object.keys(reserved)])
      throw refuse(command, `${command.name} has no ${shown}${guess ? `; did you mean --${guess}?` : '.'}`)
    }
    const [key, arg] = known
    const into = mine ? given : own
    if (arg.kind === 'flag') {
      put(key, arg, inline === undefined ? true : inline, into)
      return at
    }
    const value = inline ?? typed[at + 1]
    if (value === undefined || (inline === undefined && /^--?[a-z]/i.test(value) && value !== '-')) throw refuse(command, `${shown} needs a value.`)
    put(key, arg, value, into)
    return inline === undefined ? at + 1 : at
  }

  for (let at = used; at < typed.length; at++) {
    const word = typed[at]!
    if (word === '--') {
      if (rest) given[rest[0]] = typed.slice(at + 1)
      else for (const value of typed.slice(at + 1)) positionalValue(value)
      break
    }
    const long = /^--([a-z][a-z0-9-]*)(?:=([\s\S]*))?$/i.exec(word)
    const short = /^-([a-zA-Z])([\s\S]*)$/.exec(word)
    if (long) at = flag(long[1]!.toLowerCase(), long[2], `--${long[1]}`, at)
    else if (short) at = flag(short[1]!, short[2] ? short[2].replace(/^=/, '') : undefined, `-${short[1]}`, at)
    else if (word.startsWith('--')) throw refuse(command, `${word.slice(0, 40)} is not a flag.`)
    else positionalValue(word)
  }
  return { command, given, reserved: readReserved(own) }

  function positionalValue(value: string) {
    const current = positional[next]
    if (current) {
      put(current[0], current[1], value)
      if (!current[1].many && !current[1].each) next++
      return
    }
    // The last argument of kind `line` takes the rest of the words: a public key or a note needs no quotes.
    const last = positional.at(-1)
    if (last?.[1].kind === 'line' && typeof given[last[0]] === 'string') given[last[0]] = `${given[last[0]] as string} ${value}`
    else throw refuse(command, `${command.name} does not take "${value.slice(0, 60)}"${rest ? '; put what runs inside after --.' : '.'}`)
  }
}

/** Reads a JSON object of arguments by name, as HTTP and the local command send it. */
export function parseObject(command: Command, body: Record<string, unknown>): Parsed {
  const given: Given = {}
  const own: Given = {}
  for (const [name, value] of Object.entries(body)) {
    const arg = Object.hasOwn(command.args, name) ? command.args[name] : undefined
    const known = arg ?? (Object.hasOwn(reserved, name) ? reserved[name as keyof Reserved] : undefined)
    if (!known) {
      const guess = nearest(name, [...Object.keys(command.args), ...Object.keys(reserved)])
      throw refuse(command, `${command.name} has no argument "${name.slice(0, 60)}"${guess ? `; did you mean "${guess}"?` : '.'}`)
    }
    if (value === null || value === undefined) continue
    const into = arg ? given : own
    const several = known as Arg
    if (Array.isArray(value)) {
      if (!several.many && !several.each && !several.rest) throw refuse(command, `"${name}" takes one value, not a list.`)
      into[name] = value.map((one) => scalar(command, name, one))
    } else {
      const text = scalar(command, name, value)
      into[name] = several.many || several.each || several.rest ? [text] : typeof value === 'boolean' ? value : text
    }
  }
  return { command, given, reserved: readReserved(own) }
}

function scalar(command: Command, name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return String(value)
  throw refuse(command, `"${name}" takes text, a number, true or false.`)
}

const truthy = (value: Given[string] | undefined) => value === true || value === 'true'

function readReserved(own: Given): Reserved {
  return {
    yes: truthy(own.yes),
    json: truthy(own.json),
    'dry-run': truthy(own['dry-run']),
    ...(typeof own.as === 'string' ? { as: own.as } : {}),
    ...(typeof own.wait === 'string' ? { wait: own.wait } : {}),
  }
}

const refuse = (command: Command, sentence: string) =>
  new DcmError('usage', `${sentence} Usage: ${usage(command)}`, { try: `help ${command.name}` })
