import type { Reply } from './reply.ts'

// C0 but tab and newline, DEL, C1, and the characters that reorder text on a terminal (Unicode UAX #9) or break log lines.
const unsafe =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g

/** Makes text from members and containers harmless on a terminal and in a log: control and bidi characters become visible. */
export const printable = (text: string): string =>
  text.replace(/\r\n/g, '\n').replace(unsafe, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The same for text that has to stay in its cell: line ends and tabs become visible too. */
const inLine = (text: string): string => printable(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t')

/** Removes colour and cursor sequences (ECMA-48 CSI, OSC and two-byte escapes), then whatever else is not printable. */
export const plain = (text: string): string =>
  printable(text.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g, ''))

const wide =
  /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u

/** Columns that text takes on a terminal. */
export const width = (text: string): number => [...text].reduce((sum, char) => sum + (wide.test(char) ? 2 : 1), 0)

const pad = (text: string, columns: number) => text + ' '.repeat(Math.max(0, columns - width(text)))

/** Lays out rows in columns three spaces apart, as Docker's own tables are. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, width(cell))))
  return rows
    .map((row) => row.map((cell, at) => (at === row.length - 1 ? cell : pad(cell, widths[at]! + 3))).join(''))
    .join('\n')
}

/** The fields and the table of a Reply as plain text; empty where it has neither. */
export function detailsOf({ fields, table }: Pick<Reply, 'fields' | 'table'>): string {
  const parts: string[] = []
  if (fields) parts.push(columns(Object.entries(fields).map(([name, value]) => [`  ${inLine(name)}`, inLine(value)])))
  if (table) parts.push(columns([table.head, ...table.rows.map((row) => row.map(inLine))]))
  return parts.join('\n')
}

/** The whole of a Reply as plain text: what a terminal without colours, a log file or a screen reader gets. */
export function toText(reply: Reply): string {
  const parts = [printable(reply.text)]
  const details = detailsOf(reply)
  if (details) parts.push(details)
  if (reply.code) parts.push(printable(reply.code))
  for (const action of reply.actions ?? []) parts.push(`  ${inLine(action.label)}: ${inLine(action.line)}`)
  return parts.join('\n')
}
