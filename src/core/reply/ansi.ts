import { styleText } from 'node:util'
import type { Action, Reply } from './reply.ts'
import { columns as lay, printable, width } from './text.ts'

/** What a terminal is: how wide, and whether it shows colours. */
export type Terminal = { columns: number; colour: boolean }

type Style = Parameters<typeof styleText>[0]

const tones = { ok: 'green', info: undefined, warn: 'yellow', error: 'red' } as const

/** A cell stays on its line whatever is in it. */
const cell = (text: string) => printable(text).replace(/[\n\t]/g, ' ')

const block = (rows: string[][], paint: (text: string) => string) => {
  const widest = Math.max(0, ...rows.map(([name]) => width(name!)))
  return rows.map(([name, value]) => `  ${paint(name!)}${' '.repeat(widest - width(name!))}   ${value}`).join('\n')
}

/**
 * A Reply for a terminal: the sentence in the colour of its tone, names dimmed, a table as Docker's or, where that is
 * wider than the terminal, one row under the other, so that nothing is cut. What members and containers wrote is made
 * harmless first; every colour is this function's own.
 */
export function toAnsi(reply: Reply, terminal: Terminal): string {
  const paint = (style: Style | undefined, text: string) =>
    style !== undefined && terminal.colour && text !== '' ? styleText(style, text, { validateStream: false }) : text
  const dim = (text: string) => paint('dim', text)

  function table({ head, rows }: NonNullable<Reply['table']>): string {
    const cells = rows.map((row) => row.map(cell))
    const lines = lay([head, ...cells]).split('\n')
    if (Math.max(...lines.map(width)) <= terminal.columns)
      return [paint('bold', lines[0]!), ...lines.slice(1)].join('\n')
    return cells
      .map((row) =>
        block(
          row.map((value, at) => [head[at] ?? '', value]),
          dim,
        ),
      )
      .join('\n\n')
  }

  const action = ({ label, line, danger }: Action) =>
    `  ${dim(`${label}:`)} ${paint(danger ? 'yellow' : 'cyan', cell(line))}`

  const parts = [paint(tones[reply.tone], printable(reply.text))]
  if (reply.fields)
    parts.push(
      block(
        Object.entries(reply.fields).map(([name, value]) => [cell(name), cell(value)]),
        dim,
      ),
    )
  if (reply.table && reply.table.rows.length > 0) parts.push(table(reply.table))
  if (reply.code !== undefined) parts.push(printable(reply.code))
  for (const one of reply.actions ?? []) parts.push(action(one))
  return parts.join('\n')
}
