import { info, type Reply } from '../reply/reply.ts'
import type { Arg, Command } from './define.ts'
import { type KindName, kinds } from './kinds.ts'

const vague: ReadonlySet<KindName> = new Set(['text', 'prose', 'line', 'document'])

/** What stands for an argument's value: `SIZE`, its choices, or a word or name of its own where its kind says nothing: `LABEL`. */
export function wordFor(name: string, arg: Arg): string {
  if (arg.of) return arg.of.join('|')
  return arg.word ?? (vague.has(arg.kind) ? name.toUpperCase() : kinds[arg.kind].word)
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

const machine = (commands: readonly Command[]) =>
  commands.map((command) => ({ name: command.name, about: command.about, usage: usage(command) }))

const forCaller = (commands: readonly Command[], admin: boolean) =>
  commands.filter((command) => admin || command.needs !== 'admin')

/** The commands that this caller may use, by topic: one line each, so that the whole fits a screen. */
export function helpAll(commands: readonly Command[], admin: boolean): Reply {
  const mine = forCaller(commands, admin)
  const topics = [...Map.groupBy(mine, (command) => command.topic ?? 'other')]
  return info(
    'These are the commands by topic; help TOPIC says what each does, help COMMAND all about one, help flags what all take.',
    {
      table: {
        head: ['TOPIC', 'COMMANDS'],
        rows: topics.map(([topic, those]) => [topic, those.map((command) => command.name).join(', ')]),
      },
      data: machine(mine),
    },
  )
}

const who: Record<Command['needs'], string> = {
  anyone: 'anyone',
  member: 'every member',
  look: 'the owner, and those it is shared with',
  enter: 'the owner, and those it is shared with to enter',
  operate: 'the owner, and admins',
  own: 'the owner, and admins',
  admin: 'admins',
}

/** All about one command. */
export function helpOne(command: Command): Reply {
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
  const everywhere = [
    ...(command.confirms ? ['--yes'] : []),
    ...(command.changes ? ['--dry-run'] : []),
    '--json',
    ...(command.begins ? ['--wait TIME'] : []),
    ...(command.needs === 'anyone' ? [] : ['--as MEMBER (admins)']),
  ]
  return info(`${usage(command)}: ${command.about}`, {
    fields: {
      'who may': who[command.needs],
      ...(command.aliases ? { 'also called': command.aliases.join(', ') } : {}),
      'also takes': everywhere.join(', '),
    },
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

/** The commands of a topic, or those that begin with a noun such as `user`; undefined when there are none. */
export function helpGroup(commands: readonly Command[], admin: boolean, word: string): Reply | undefined {
  const mine = forCaller(commands, admin)
  const ofTopic = mine.filter((command) => command.topic === word)
  const those = ofTopic.length > 0 ? ofTopic : mine.filter((command) => command.name.startsWith(`${word} `))
  if (those.length === 0) return undefined
  return info(`${word} has these commands; help COMMAND tells more about one.`, {
    table: { head: ['COMMAND', 'WHAT IT DOES'], rows: those.map((command) => [command.name, command.about]) },
    data: machine(those),
  })
}
