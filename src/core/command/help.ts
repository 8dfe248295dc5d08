import { info, type Reply } from '../reply/reply.ts'
import type { Arg, Command } from './define.ts'
import { type KindName, kinds } from './kinds.ts'

const vague: ReadonlySet<KindName> = new Set(['text', 'line', 'document'])

/** What stands for an argument's value: `SIZE`, its choices, or its name where its kind says nothing: `LABEL`. */
export function wordFor(name: string, arg: Arg): string {
  if (arg.of) return arg.of.join('|')
  return vague.has(arg.kind) && !arg.flag ? name.toUpperCase() : kinds[arg.kind].word
}

function flagForm(name: string, arg: Arg): string {
  const spelled = arg.short ? `-${arg.short}` : `--${name}`
  return arg.kind === 'flag' ? spelled : `${spelled} ${wordFor(name, arg)}`
}

/** One line that says how a command is typed: `rm CONTAINER... [-f]`. */
export function usage(command: Command): string {
  const parts = [command.name]
  for (const [name, arg] of Object.entries(command.args)) {
    const dots = arg.many || arg.each ? '...' : ''
    const optional = arg.optional || arg.default !== undefined || arg.kind === 'flag'
    const form = arg.rest
      ? `-- ${name.toUpperCase()}...`
      : arg.flag || arg.kind === 'flag'
        ? flagForm(name, arg) + dots
        : wordFor(name, arg) + dots
    parts.push(optional || arg.rest ? `[${form}]` : form)
  }
  return parts.join(' ')
}

const rows = (commands: readonly Command[]) => commands.map((command) => [command.name, command.about])

/** The list of commands that this caller may use. */
export function helpAll(commands: readonly Command[], admin: boolean): Reply {
  const mine = commands.filter((command) => admin || command.needs !== 'admin')
  return info('These are the commands; help COMMAND tells more about one.', {
    table: { head: ['COMMAND', 'WHAT IT DOES'], rows: rows(mine) },
    data: mine.map((command) => ({ name: command.name, about: command.about, usage: usage(command) })),
  })
}

/** All about one command, or the commands of a noun such as `user`. */
export function helpOne(commands: readonly Command[], command: Command): Reply {
  const args = Object.entries(command.args).map(([name, arg]) => {
    const spelled =
      arg.flag || arg.kind === 'flag'
        ? `${arg.short ? `-${arg.short}, ` : ''}--${name}`
        : arg.rest
          ? `-- ${name.toUpperCase()}...`
          : wordFor(name, arg)
    const fallback = arg.default === undefined ? '' : ` (default ${arg.default})`
    return [spelled, `${arg.about}${fallback}`]
  })
  return info(`${usage(command)}: ${command.about}`, {
    ...(args.length > 0 ? { table: { head: ['ARGUMENT', 'WHAT IT IS'], rows: args } } : {}),
    ...(command.examples ? { code: command.examples.join('\n') } : {}),
    data: {
      name: command.name,
      about: command.about,
      usage: usage(command),
      examples: command.examples ?? [],
      needs: command.needs,
    },
  })
}

/** The commands that begin with a noun. */
export const helpGroup = (commands: readonly Command[], noun: string): Reply =>
  info(`${noun} has these commands; help ${noun} COMMAND tells more about one.`, {
    table: {
      head: ['COMMAND', 'WHAT IT DOES'],
      rows: rows(commands.filter((command) => command.name.startsWith(`${noun} `))),
    },
    data: commands
      .filter((command) => command.name.startsWith(`${noun} `))
      .map((command) => ({ name: command.name, about: command.about, usage: usage(command) })),
  })
