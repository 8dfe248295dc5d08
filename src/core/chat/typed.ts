import type { Command } from '../command/define.ts'
import { parseLine } from '../command/parse.ts'

/**
 * The command of a line that names one and gives it nothing of what it needs: where a form would help more than a
 * refusal.
 */
export function missingAll(commands: readonly Command[], line: string): string | undefined {
  try {
    const { command, given, reserved } = parseLine(commands, line)
    const needed = Object.values(command.args).some(
      (arg) => !arg.optional && !arg.rest && !arg.many && arg.default === undefined && arg.kind !== 'flag',
    )
    return needed && Object.keys(given).length === 0 && reserved.as === undefined ? command.name : undefined
  } catch {
    return undefined
  }
}
