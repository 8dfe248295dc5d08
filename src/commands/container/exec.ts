import { begin, defineCommand } from '../../core/command/define.ts'
import { formatDuration } from '../../core/model/units.ts'
import { endedData } from '../../core/reply/ended.ts'
import { DcmError } from '../../core/reply/error.ts'

const longest = 3_600_000

/** @throws DcmError `usage` */
export function checkRun(command: readonly string[], lives: number, line: string): void {
  if (command.length === 0 || command[0] === '')
    throw new DcmError('usage', `Say what to run after --, as in: ${line}.`, { try: `help ${line.split(' ')[0]!}` })
  if (lives > longest)
    throw new DcmError(
      'usage',
      `It may take at most ${formatDuration(longest)}; what lives longer is a container of its own.`,
      { try: 'help create' },
    )
}

export const exec = defineCommand({
  name: 'exec',
  about: 'Run a program inside a container and tell what it printed and how it ended.',
  examples: ['exec web -- ls -l /storage', 'exec web -w /srv --timeout 5m -- make test'],
  needs: 'enter',
  changes: true,
  begins: true,
  private: true,
  args: {
    container: { kind: 'container', about: 'Container to run it in; it has to be running.' },
    workdir: {
      kind: 'text',
      word: 'FOLDER',
      flag: true,
      short: 'w',
      default: '/root',
      about: 'Folder of the container to run it in.',
    },
    timeout: {
      kind: 'duration',
      flag: true,
      default: '60s',
      about: 'How long it may take before it is killed, at most 1h.',
    },
    command: { kind: 'argv', rest: true, about: 'The program and its arguments, as they are.' },
  },
  gives: endedData,
  async run({ container, workdir, timeout, command }, { caller }) {
    checkRun(command, timeout, `exec ${container.name} -- ls`)
    const how = { argv: command, folder: workdir, lives: timeout }
    return begin('exec', { containerId: container.id, byId: caller.person.id, ...how })
  },
})
