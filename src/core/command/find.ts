import { join } from 'shlex'
import { DcmError } from '../reply/error.ts'
import type { Command } from './define.ts'
import { dockerVerb } from './docker.ts'
import { nearest } from './nearest.ts'

/** Whether some of what is typed for this command is a secret, so that no refusal may repeat any of it. */
export const hushed = (command: Command) => Object.values(command.args).some((arg) => arg.secret)

/** The line with its first word put right; the word alone where the others could be a secret or are many. */
function again(commands: readonly Command[], guess: string, others: readonly string[]): string {
  const command = commands.find((known) => known.name === guess || known.aliases?.includes(guess))
  const line = join([guess, ...others])
  return command && hushed(command) ? guess : line.length > 120 ? guess : line
}

/** Finds the command that the first words name; the longest name wins. */
export function findCommand(
  commands: readonly Command[],
  typed: readonly string[],
): { command: Command; used: number } {
  if (typed.length === 0) throw new DcmError('usage', 'Type a command; help lists them.', { try: 'help' })
  for (const used of [3, 2, 1]) {
    if (typed.length < used) continue
    const name = typed.slice(0, used).join(' ').toLowerCase()
    const command = commands.find((known) => known.name === name || known.aliases?.includes(name))
    if (command) return { command, used }
  }
  const first = (typed[0] ?? '').toLowerCase()
  const group = commands.filter((known) => known.name.startsWith(`${first} `))
  if (first && group.length > 0) {
    const guess =
      typed[1] === undefined
        ? undefined
        : nearest(
            typed[1],
            group.map((known) => known.name.slice(first.length + 1)),
          )
    const list = group.map((known) => known.name).join(', ')
    throw new DcmError('usage', `${first} takes one of: ${list}.`, {
      try: guess ? `${first} ${guess}` : `help ${first}`,
    })
  }
  if (first === 'docker' && typed.length > 1) {
    const inside = findCommand(commands, typed.slice(1))
    const line = join([...typed.slice(1)])
    throw new DcmError('usage', 'Lines begin with the command here: leave docker out.', {
      try: hushed(inside.command) || line.length > 120 ? join(typed.slice(1, 1 + inside.used)) : line,
    })
  }
  const docker = dockerVerb(first, typed.slice(1))
  if (docker) throw new DcmError('usage', `There is no command ${first} here: ${docker.says}.`, { try: docker.try })
  const guess = nearest(
    first,
    commands.flatMap((known) => [known.name, ...(known.aliases ?? [])]),
  )
  const shown = first.slice(0, 40)
  throw new DcmError('usage', `There is no command ${shown || '""'}${guess ? `; did you mean ${guess}?` : '.'}`, {
    try: guess ? again(commands, guess, typed.slice(1)) : 'help',
  })
}
