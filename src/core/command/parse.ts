import { join } from 'shlex'
import { DcmError } from '../reply/error.ts'
import type { Arg, Command } from './define.ts'
import { dockerFlag } from './docker.ts'
import { findCommand, hushed } from './find.ts'
import { usage } from './help.ts'
import { nearest } from './nearest.ts'
import { splitWords, untypeset } from './words.ts'

/** Argument values as text, before their kinds read them. */
export type Given = Record<string, string | string[] | boolean>

/** Words that mean the same to every command. */
export type Reserved = { as?: string; yes: boolean; json: boolean; wait?: string; 'dry-run': boolean; post: boolean }
export type Parsed = { command: Command; given: Given; reserved: Reserved }

/** The reserved arguments, for help and for machines. */
export const reserved = {
  as: {
    kind: 'person-name',
    flag: true,
    optional: true,
    about: 'Act for this member, with exactly their rights (admins).',
  },
  yes: { kind: 'flag', flag: true, optional: true, about: 'Confirm what would otherwise be asked.' },
  json: { kind: 'flag', flag: true, optional: true, about: 'Print the whole reply as JSON.' },
  wait: { kind: 'duration', flag: true, optional: true, about: 'How long to wait for the outcome, 5m at most.' },
  post: { kind: 'flag', flag: true, optional: true, about: 'In a chat: tell the channel too, in a harmless sentence.' },
  'dry-run': { kind: 'flag', flag: true, optional: true, about: 'Say what would happen, and do nothing.' },
} as const satisfies Record<keyof Reserved, Arg>

const isPositional = (arg: Arg) => !arg.flag && !arg.rest && arg.kind !== 'flag'

/** Reads one typed line. @throws DcmError `usage` with the nearest thing that would have worked */
export function parseLine(commands: readonly Command[], line: string): Parsed {
  const parsed = parseWords(commands, splitWords(untypeset(line)))
  const { command, given } = parsed
  for (const [name, { hidden }] of Object.entries(command.args)) {
    if (!hidden || given[name] === undefined || given[name] === '-') continue
    const { [name]: _, ...rest } = given
    throw new DcmError(
      'usage',
      `The ${name} of ${command.name} is not typed on a line, where it would be kept: leave it out and fill in the form, or send it as - on standard input.`,
      {
        try: `help ${command.name}`,
        ask: { command: command.name, given: rest, missing: [name] },
      },
    )
  }
  return parsed
}

/** `--help` anywhere before what runs inside, or `-h` at once. */
function asksHelp(words: readonly string[]): boolean {
  const inside = words.indexOf('--')
  return words[0] === '-h' || words.slice(0, inside < 0 ? undefined : inside).includes('--help')
}

/** More words than anybody types: what reads them takes no longer than a moment. */
const mostWords = 10_000

/** Reads words that something else has already split: an argv, or a line's. @throws DcmError `usage` as `parseLine` */
export function parseWords(commands: readonly Command[], typed: readonly string[]): Parsed {
  if (typed.length > mostWords) throw new DcmError('usage', `That is more than ${mostWords} words.`)
  const helps = commands.some((known) => known.name === 'help')
  if (helps && /^(?:--help|-h)$/.test(typed[0] ?? '')) return parseWords(commands, ['help'])
  const { command, used } = findCommand(commands, typed)
  if (helps && command.name !== 'help' && asksHelp(typed.slice(used)))
    return parseWords(commands, ['help', ...command.name.split(' ')])
  const raw = Object.entries(command.args).find(([, arg]) => arg.raw)?.[0]
  if (raw !== undefined) return parseRaw(commands, command, raw, typed.slice(used))
  const given: Given = {}
  const own: Given = {}
  const positional = Object.entries(command.args).filter(([, arg]) => isPositional(arg))
  const rest = Object.entries(command.args).find(([, arg]) => arg.rest)
  let next = 0

  const put = (name: string, arg: Arg, value: string | true, into = given) => {
    if (arg.many || arg.each) ((into[name] ??= []) as string[]).push(String(value))
    else if (arg.kind !== 'flag' && Object.hasOwn(into, name)) throw refuse(command, `--${name} is given twice.`)
    else into[name] = value
  }

  const flag = (name: string, inline: string | undefined, shown: string, at: number): number => {
    const mine = Object.entries(command.args).find(
      ([key, arg]) => (name.length === 1 ? arg.short === name : key === name) && (arg.flag || arg.kind === 'flag'),
    )
    const known =
      mine ?? (Object.hasOwn(reserved, name) ? ([name, reserved[name as keyof Reserved]] as const) : undefined)
    if (!known) {
      const docker = dockerFlag(command.name, name, typed.slice(used))
      if (docker) throw new DcmError('usage', `${command.name} has no ${shown}: ${docker.says}.`, { try: docker.try })
      const flags = Object.entries(command.args)
        .filter(([, arg]) => !isPositional(arg) && !arg.rest)
        .map(([key]) => key)
      const guess = nearest(name, [...flags, ...Object.keys(reserved)])
      throw refuse(command, `${command.name} has no ${shown.slice(0, 42)}${guess ? `; did you mean --${guess}?` : '.'}`)
    }
    const [key, arg] = known
    const into = mine ? given : own
    if (arg.kind === 'flag') {
      put(key, arg, inline === undefined ? true : inline, into)
      return at
    }
    const value = inline ?? typed[at + 1]
    if (value === undefined || (inline === undefined && /^--?[a-z]/i.test(value) && value !== '-'))
      throw refuse(command, `${shown} needs a value.`)
    put(key, arg, value, into)
    return inline === undefined ? at + 1 : at
  }

  for (let at = used; at < typed.length; at++) {
    const word = typed[at]!
    if (word === '--') {
      if (rest) given[rest[0]] = typed.slice(at + 1)
      else for (const [past, value] of typed.slice(at + 1).entries()) positionalValue(value, at + 1 + past)
      break
    }
    const long = /^--([a-z][a-z0-9-]*)(?:=([\s\S]*))?$/i.exec(word)
    const short = /^-([a-zA-Z])([\s\S]*)$/.exec(word)
    const several = short && short[2] && lettersOfFlags(`${short[1]}${short[2]}`)
    if (several) for (const letter of several) flag(letter, undefined, `-${letter}`, at)
    else if (long) at = flag(long[1]!.toLowerCase(), long[2], `--${long[1]}`, at)
    else if (short) at = flag(short[1]!, short[2] ? short[2].replace(/^=/, '') : undefined, `-${short[1]}`, at)
    // Three dashes begin a pasted key file, and whoever reads keys has better words for that.
    else if (/^--(?!-)/.test(word))
      throw refuse(command, `${hushed(command) ? 'That' : word.slice(0, 40)} is not a flag.`)
    else positionalValue(word, at)
  }
  return { command, given, reserved: readReserved(command, own) }

  /** `-fv`: letters that are all flags without a value, once each. */
  function lettersOfFlags(letters: string): string[] | undefined {
    const short = Object.values(command.args)
      .filter((arg) => arg.kind === 'flag')
      .map((arg) => arg.short)
    return [...letters].every((letter) => short.includes(letter)) ? [...letters] : undefined
  }

  function positionalValue(value: string, at: number) {
    const current = positional[next]
    if (current) {
      put(current[0], current[1], value)
      if (!current[1].many && !current[1].each) next++
      return
    }
    // The last argument of such a kind takes the rest of the words: a public key, a note or times need no quotes.
    const last = positional.at(-1)
    if ((last?.[1].kind === 'line' || last?.[1].kind === 'cron') && typeof given[last[0]] === 'string')
      given[last[0]] = `${given[last[0]] as string} ${value}`
    else {
      throw (
        forgotten(value, at) ??
        refuse(
          command,
          `${command.name} does not take ${hushed(command) ? 'that much' : `"${value.slice(0, 60)}"`}${rest ? '; put what runs inside after --.' : '.'}`,
        )
      )
    }
  }

  /** What to say of a word too many, where one flag is needed that the line has not: `create web debian`. */
  function forgotten(value: string, at: number): DcmError | undefined {
    const mine = typed.slice(used, typed.includes('--') ? typed.indexOf('--') : undefined)
    const has = (name: string, { short }: Arg) =>
      mine.some((word) => word.split('=')[0] === `--${name}` || (short && word.startsWith(`-${short}`)))
    const args = Object.entries(command.args)
    const needed = args.filter(
      ([name, arg]) => arg.flag && !arg.optional && arg.default === undefined && !has(name, arg),
    )
    const [name, arg] = needed[0] ?? []
    // No word is repeated that could be part of a secret: beside a secret flag, or with more in it than a name has.
    const secret = arg?.secret || args.some(([key, one]) => one.secret && has(key, one))
    if (needed.length !== 1 || secret || !/^[a-z0-9][a-z0-9._:/-]{0,60}$/.test(value)) return undefined
    return new DcmError('usage', `${command.name} needs --${name} before ${value}.`, {
      try: join([...typed.slice(0, at), `--${name}`, ...typed.slice(at)]),
    })
  }
}

/** The words of a line that came as one, because it was put in quotes. */
function unquoted(words: readonly string[]): readonly string[] {
  if (words.length !== 1 || !/\s/.test(words[0]!)) return words
  try {
    return splitWords(words[0]!)
  } catch (error) {
    if (error instanceof DcmError) return words
    throw error
  }
}

/** What follows is a line of its own. Its `--as`, `--wait` and `--json` are this call's too; whether it can be read is not said here. */
function parseRaw(commands: readonly Command[], command: Command, name: string, typed: readonly string[]): Parsed {
  const words = unquoted(typed)
  let own = readReserved(command, {})
  try {
    if (words.length > 0) own = { ...parseWords(commands, words).reserved, yes: false, 'dry-run': false, post: false }
  } catch (error) {
    if (!(error instanceof DcmError)) throw error
  }
  return { command, given: words.length === 0 ? {} : { [name]: join([...words]) }, reserved: own }
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
      throw refuse(
        command,
        `${command.name} has no argument "${name.slice(0, 60)}"${guess ? `; did you mean "${guess}"?` : '.'}`,
      )
    }
    if (value === null || value === undefined) continue
    const into = arg ? given : own
    const several = known as Arg
    if (Array.isArray(value)) {
      if (!several.many && !several.each && !several.rest)
        throw refuse(command, `"${name}" takes one value, not a list.`)
      into[name] = value.map((one) => scalar(command, name, one))
    } else {
      const text = scalar(command, name, value)
      into[name] =
        several.many || several.each || several.rest
          ? [text]
          : several.kind === 'flag' && typeof value === 'boolean'
            ? value
            : text
    }
  }
  return { command, given, reserved: readReserved(command, own) }
}

function scalar(command: Command, name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return String(value)
  throw refuse(command, `"${name}" takes text, a number, true or false.`)
}

/** Reads a reserved flag. What is neither true nor false is refused: a misspelt dry run must not become a real one. */
function readFlag(command: Command, own: Given, name: 'yes' | 'json' | 'dry-run' | 'post'): boolean {
  const value = own[name]
  if (value === true || value === 'true') return true
  if (value === undefined || value === false || value === 'false') return false
  throw refuse(command, `--${name} is true or false.`)
}

const readReserved = (command: Command, own: Given): Reserved => ({
  yes: readFlag(command, own, 'yes'),
  json: readFlag(command, own, 'json'),
  'dry-run': readFlag(command, own, 'dry-run'),
  post: readFlag(command, own, 'post'),
  ...(typeof own['as'] === 'string' ? { as: own['as'] } : {}),
  ...(typeof own['wait'] === 'string' ? { wait: own['wait'] } : {}),
})

const refuse = (command: Command, sentence: string) =>
  new DcmError('usage', `${sentence} Usage: ${usage(command)}`, { try: `help ${command.name}` })
