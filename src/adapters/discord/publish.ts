import type { Arg, Command } from '../../core/command/define.ts'
import { kinds } from '../../core/command/kinds.ts'
import { reserved } from '../../core/command/parse.ts'

/** «Application Commands» of Discord's documentation. */
const limits = { commands: 100, options: 25, choices: 25, description: 100, characters: 8000, string: 6000 }
const named = /^[-_\p{Ll}\p{N}]{1,32}$/u

/** Types of options there. */
export const types = { group: 2, subcommand: 1, string: 3, integer: 4, boolean: 5, user: 6, number: 10, attachment: 11 }

export type Option = {
  type: number
  name: string
  description: string
  required?: true
  autocomplete?: true
  choices?: { name: string; value: string }[]
  min_value?: number
  max_value?: number
  max_length?: number
  options?: Option[]
}

/** A command as Discord keeps it. */
export type Published = {
  name: string
  type: 1
  description: string
  options: Option[]
  contexts: number[]
  integration_types: number[]
  default_member_permissions: string | null
}

/** The command that takes a typed line. */
export const lineCommand = 'dcm'

/** What a command is called inside the group that bears its name, which Discord cannot have beside it: `sessions` beside `sessions kill`. */
const itself = 'ls'

/** The command behind the words that Discord names it by. */
export const findPublished = (commands: readonly Command[], words: readonly string[]): Command | undefined => {
  const name = words.join(' ')
  return (
    commands.find((command) => command.name === name) ??
    (words.at(-1) === itself ? commands.find((command) => command.name === words.slice(0, -1).join(' ')) : undefined)
  )
}

/** In a server, and in a direct message with the bot; where the app was added to a server, never to a person. */
const contexts = [0, 1]
const integrationTypes = [0]
/** MANAGE_GUILD: who is not shown admins' commands by default; a server can give them to others in its settings. */
const manageGuild = '32'

/** Whether a command is better asked for in a form: a secret is never typed into a command, where others may see it. */
export const hasForm = (command: Command): boolean => Object.values(command.args).some((arg) => arg.secret)

/** Whether a value has to be given. */
export const isRequired = (arg: Arg): boolean =>
  !arg.optional && arg.default === undefined && arg.kind !== 'flag' && !arg.rest

function toOption(name: string, arg: Arg, required: boolean): Option {
  const option: Option = { type: types.string, name, description: arg.about, ...(required ? { required: true } : {}) }
  if (arg.of && arg.of.length <= limits.choices)
    return { ...option, choices: arg.of.map((value) => ({ name: value, value })) }
  if (arg.many || arg.each || arg.rest) return { ...option, ...(completes(arg) ? { autocomplete: true as const } : {}) }
  switch (arg.kind) {
    case 'flag':
      return { ...option, type: types.boolean }
    case 'count':
      return { ...option, type: types.integer, min_value: 0, max_value: 1_000_000 }
    case 'cpus':
      return { ...option, type: types.number, min_value: 0 }
    case 'account':
      return { ...option, type: types.user }
    default:
      return { ...option, ...(completes(arg) ? { autocomplete: true as const } : { max_length: limits.string }) }
  }
}

const completes = (arg: Arg) => arg.of !== undefined || kinds[arg.kind].complete !== undefined

/** A command's options; those that have to be given come first, as Discord wants it. */
function optionsOf(command: Command): Option[] {
  const form = hasForm(command)
  const options = Object.entries(command.args)
    .filter(([name, arg]) => !arg.secret && !(command.file && name === 'name'))
    .map(([name, arg]) => toOption(name, arg, isRequired(arg) && !form))
  if (command.file) options.push({ type: types.attachment, name: 'file', description: 'The file.', required: true })
  if (command.changes && !('post' in command.args))
    options.push({ type: types.boolean, name: 'post', description: reserved.post.about })
  return [...options.filter((option) => option.required), ...options.filter((option) => !option.required)]
}

const weight = (part: Published | Option): number =>
  part.name.length +
  part.description.length +
  ('choices' in part && part.choices
    ? part.choices.reduce((sum, choice) => sum + choice.name.length + choice.value.length, 0)
    : 0) +
  (part.options ?? []).reduce((sum, option) => sum + weight(option), 0)

/**
 * Makes Discord's commands out of ours: one word is a command, two are a command with subcommands, three have a group
 * between them. What Discord cannot take is left out or cut, and told; all of it can still be typed after /dcm.
 */
export function publish(commands: readonly Command[]): { published: Published[]; problems: string[] } {
  const problems: string[] = []
  const tops = new Map<string, Published>()
  const admins = new Map<string, boolean>()

  const tidy = (option: Option, of: string): Option => {
    if (option.description.length > limits.description)
      problems.push(`${of}: what is said about ${option.name} is cut to ${limits.description} characters.`)
    return { ...option, description: option.description.slice(0, limits.description) }
  }
  const top = (name: string, description: string): Published => {
    const found = tops.get(name)
    if (found) return found
    const made: Published = {
      name,
      type: 1,
      description: description.slice(0, limits.description),
      options: [],
      contexts,
      integration_types: integrationTypes,
      default_member_permissions: null,
    }
    tops.set(name, made)
    return made
  }
  const inside = (parent: Published | Option, name: string, type: number, description: string): Option => {
    parent.options ??= []
    const found = parent.options.find((option) => option.name === name)
    if (found) return found
    const made: Option = { type, name, description: description.slice(0, limits.description), options: [] }
    parent.options.push(made)
    return made
  }

  for (const command of commands) {
    const inGroup = commands.some((other) => other.name.startsWith(`${command.name} `))
    const words = [...command.name.split(' '), ...(inGroup ? [itself] : [])]
    const odd = [...words, ...Object.keys(command.args)].find((word) => !named.test(word))
    const options = optionsOf(command).map((option) => tidy(option, command.name))
    if (odd !== undefined || words.length > 3 || options.length > limits.options || words[0] === lineCommand) {
      const why =
        odd !== undefined
          ? `"${odd}" is no name there`
          : options.length > limits.options
            ? `it has more than ${limits.options} options`
            : 'its name does not fit'
      problems.push(
        `${command.name} cannot be published in Discord, for ${why}; it can be typed after /${lineCommand}.`,
      )
      continue
    }
    if (command.about.length > limits.description)
      problems.push(`${command.name}: what is said about it is cut to ${limits.description} characters.`)
    const [first = '', ...rest] = words
    const group = rest.length > 0
    const made = top(first, group ? `Commands about ${first}.` : command.about)
    const mine = command.needs === 'admin'
    admins.set(first, (admins.get(first) ?? true) && mine)
    if (!group) made.options = options
    else {
      const parent =
        rest.length === 2 ? inside(made, rest[0]!, types.group, `Commands about ${first} ${rest[0]}.`) : made
      inside(parent, rest.at(-1)!, types.subcommand, command.about).options = options
    }
  }
  for (const [name, admin] of admins) if (admin) tops.get(name)!.default_member_permissions = manageGuild

  const line = top(lineCommand, 'Type a command line: create web --image debian. help lists them.')
  line.options = [
    {
      type: types.string,
      name: 'line',
      description: 'The line, as over SSH: ps, create web --image debian, help.',
      required: true,
      autocomplete: true,
    },
  ]
  const published: Published[] = []
  for (const one of [line, ...[...tops.values()].filter((other) => other !== line)]) {
    const over =
      one.options.length > limits.options
        ? `it has more than ${limits.options} subcommands`
        : weight(one) > limits.characters
          ? `it has more than ${limits.characters} characters`
          : published.length >= limits.commands
            ? `there are ${limits.commands} before it`
            : undefined
    if (over)
      problems.push(`/${one.name} cannot be published in Discord, for ${over}; it can be typed after /${lineCommand}.`)
    else published.push(one)
  }
  return { published, problems }
}

/** What counts when commands are compared: Discord gives back more than it was given, in its own order, and leaves out what is false. */
function essence(value: unknown, key = ''): unknown {
  if (Array.isArray(value))
    return key === 'contexts' || key === 'integration_types'
      ? value.toSorted((a, b) => Number(a) - Number(b))
      : value.map((one) => essence(one))
  if (typeof value !== 'object' || value === null) return value
  const kept = [
    'name',
    'type',
    'description',
    'options',
    'contexts',
    'integration_types',
    'default_member_permissions',
    'required',
    'autocomplete',
    'choices',
    'min_value',
    'max_value',
    'max_length',
    'value',
  ]
  const pairs = Object.entries(value).filter(
    ([name, one]) =>
      kept.includes(name) &&
      one !== false &&
      one !== null &&
      one !== undefined &&
      !(Array.isArray(one) && one.length === 0),
  )
  return Object.fromEntries(
    pairs.map(([name, one]) => [name, essence(one, name)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** Whether what is registered is what should be; the order of commands does not matter, that of options does. */
export function isSame(registered: readonly { name: string; type?: number }[], wanted: readonly Published[]): boolean {
  const sorted = (list: readonly { name: string }[]) =>
    JSON.stringify(list.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((one) => essence(one)))
  return sorted(registered.filter((one) => (one.type ?? 1) === 1)) === sorted(wanted)
}
