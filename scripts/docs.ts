import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commands } from '../src/commands/index.ts'
import { variables } from '../src/variables.ts'
import { usage } from '../src/core/command/help.ts'

const readme = join(import.meta.dirname, '../README.md')
const cell = (text: string) => text.replaceAll('|', '\\|')
const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')

const parts: Record<string, string> = {
  commands: table(
    ['command', 'what it does', 'who'],
    commands.map((command) => [
      `\`${usage(command)}\``,
      command.about,
      command.needs === 'admin' ? 'admins' : command.needs === 'anyone' ? 'anyone' : 'members',
    ]),
  ),
  configuration: table(
    ['variable', 'default', 'what it is'],
    variables.map((variable) => [`\`${variable.name}\``, variable.fallback, variable.about]),
  ),
}

/** The README with its generated tables as the code has them now. */
export const renewed = (text: string): string =>
  Object.entries(parts).reduce(
    (whole, [name, part]) =>
      whole.replace(
        new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
        (_, open: string, close: string) => `${open}${part}\n${close}`,
      ),
    text,
  )

if (process.argv[1] === import.meta.filename) writeFileSync(readme, renewed(readFileSync(readme, 'utf8')))
