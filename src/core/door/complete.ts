import { type Arg, type Command } from '../command/define.ts'
import { findCommand } from '../command/find.ts'
import { reserved } from '../command/parse.ts'
import { kinds } from '../command/kinds.ts'
import type { Lookup } from '../command/lookup.ts'

/** The longest line that is completed, in characters. */
const longest = 4096

/** What could stand at the end of an unfinished line: commands, flags, and values that would be accepted. */
export async function candidates(
  commands: readonly Command[],
  line: string,
  lookupOf: (command: Command) => Lookup,
): Promise<string[]> {
  if (line.length > longest) return []
  const typed = line.trimStart().split(/\s+/)
  const last = typed.at(-1) ?? ''
  const before = typed.slice(0, -1)
  const starting = (list: readonly string[]) =>
    [...new Set(list)]
      .filter((one) => one.startsWith(last))
      .toSorted()
      .slice(0, 100)
  const head = [...before, ''].join(' ').toLowerCase()
  const names = commands.map((command) => command.name).filter((name) => name.startsWith(head.trimStart()))
  const words = names.map((name) => name.slice(head.length).split(' ')[0]!).filter((word) => word !== '')
  let found: { command: Command; used: number } | undefined
  if (before.length > 0)
    try {
      found = findCommand(commands, before)
    } catch {
      return starting(words)
    }
  if (!found) return starting(words)
  const { command, used } = found
  const args = Object.entries(command.args)
  const flags = [
    ...args.filter(([, arg]) => arg.flag || arg.kind === 'flag').map(([name]) => name),
    ...Object.keys(reserved),
  ].map((name) => `--${name}`)
  if (last.startsWith('-')) return starting(flags)
  const previous = before.at(-1) ?? ''
  const flagged = args.find(
    ([name, arg]) =>
      arg.kind !== 'flag' && (previous === `--${name}` || (arg.short !== undefined && previous === `-${arg.short}`)),
  )
  if (flagged) return starting(await valuesOf(flagged[1], lookupOf(command)))
  if (before.length > 0 && previous === '--as') return starting(await lookupOf(command).personNames())
  const positionals = args.filter(([, arg]) => !arg.flag && !arg.rest && arg.kind !== 'flag')
  const filled = before
    .slice(used)
    .filter((word, at, all) => !word.startsWith('-') && !isFlagValue(command, all[at - 1])).length
  const current = positionals[Math.min(filled, positionals.length - 1)]
  const open = current && (filled < positionals.length || current[1].each || current[1].many)
  return starting([...words, ...(open ? await valuesOf(current[1], lookupOf(command)) : [])])
}

const isFlagValue = (command: Command, previous: string | undefined) =>
  previous !== undefined &&
  Object.entries(command.args).some(
    ([name, arg]) => arg.flag && arg.kind !== 'flag' && (previous === `--${name}` || previous === `-${arg.short}`),
  )

async function valuesOf(arg: Arg, lookup: Lookup): Promise<string[]> {
  if (arg.of) return [...arg.of]
  return (await kinds[arg.kind].complete?.(lookup)) ?? []
}
