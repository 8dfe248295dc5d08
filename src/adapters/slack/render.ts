import type { Button, Letter, Page } from '../../core/chat/outlet.ts'
import type { Reply } from '../../core/reply/reply.ts'
import { columns, plain } from '../../core/reply/text.ts'

/** A block as Slack takes it. Text of members only ever stands in `plain_text` and `rich_text`, which Slack does not interpret. */
export type Block = { type: string } & Record<string, unknown>

/** What one message is made of. `text` is what notifications and screen readers get. */
export type Message = { text: string; blocks: Block[] }

/** Slack's limits (docs.slack.dev, reference/block-kit). */
export const limits = {
  blocks: 50,
  section: 3000,
  fields: 10,
  field: 2000,
  label: 75,
  value: 2000,
  perActions: 25,
  header: 150,
  code: 3000,
  confirmText: 300,
  fallback: 3000,
} as const

/** Cuts by code points, so that nothing is halved, and says that it did. */
export function cut(text: string, most: number): string {
  const points = [...text]
  // Slack counts UTF-16 units, of which a code point has one or two.
  if (text.length <= most) return text
  let kept = ''
  for (const point of points) {
    if (kept.length + point.length > most - 1) break
    kept += point
  }
  return `${kept}…`
}

/** Makes text harmless where Slack reads markup: the fallback of a message (docs.slack.dev, messaging/formatting-message-text). */
export const escape = (text: string): string =>
  plain(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

export const plainText = (text: string, most: number) => ({
  type: 'plain_text',
  text: cut(plain(text), most) || ' ',
  emoji: false,
})

const section = (text: string): Block => ({ type: 'section', text: plainText(text, limits.section) })
export const note = (text: string): Block => ({ type: 'context', elements: [plainText(text, 2000)] })

const preformatted = (text: string): Block => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: text || ' ' }] }],
})

const marks = { ok: '✓ ', info: '', warn: '! ', error: '✗ ' } as const

function fieldBlocks(fields: Record<string, string>): Block[] {
  const all = Object.entries(fields)
  const blocks: Block[] = []
  for (let at = 0; at < Math.min(all.length, 50); at += limits.fields)
    blocks.push({
      type: 'section',
      fields: all.slice(at, at + limits.fields).map(([name, value]) => plainText(`${name}\n${value}`, limits.field)),
    })
  return blocks
}

const cell = (text: string) => cut(plain(text).replace(/\s+/g, ' '), 60)

function tableBlock({ head, rows }: NonNullable<Reply['table']>): Block[] {
  const lines = columns([head, ...rows.map((row) => row.map(cell))]).split('\n')
  const kept: string[] = []
  let size = 0
  for (const line of lines) {
    if (size + line.length + 1 > limits.code - 60) break
    kept.push(line)
    size += line.length + 1
  }
  const left = lines.length - kept.length
  return [preformatted(kept.join('\n')), ...(left > 0 ? [note(`${left} more lines did not fit here.`)] : [])]
}

/** What of a code block one message shows. The whole goes into a file when there is more. */
export function codeParts(code: string): { shown: string; whole: boolean } {
  const text = plain(code)
  if (text.length <= limits.code) return { shown: text, whole: true }
  // Of a log the end matters.
  return { shown: `…${text.slice(-(limits.code - 100)).replace(/^[\udc00-\udfff]/, '')}`, whole: false }
}

export function button(one: Button): Block {
  return {
    type: 'button',
    action_id: `press:${one.id}`,
    text: plainText(one.label, limits.label),
    value: one.id,
    ...(one.danger ? { style: 'danger' } : {}),
    ...(one.confirm
      ? {
          confirm: {
            title: plainText('Are you sure?', 100),
            text: plainText(one.confirm, limits.confirmText),
            confirm: plainText('Yes', 30),
            deny: plainText('No', 30),
            style: 'danger',
          },
        }
      : {}),
  }
}

const actions = (elements: Block[]): Block => ({ type: 'actions', elements: elements.slice(0, limits.perActions) })

function pageBlocks(page: Page): Block[] {
  const turn = (at: number, label: string) => ({
    type: 'button',
    action_id: `page:${label}`,
    text: plainText(label, limits.label),
    value: `${page.id} ${at}`,
  })
  const elements = [
    ...(page.at > 0 ? [turn(page.at - 1, 'Previous')] : []),
    ...(page.at < page.of - 1 ? [turn(page.at + 1, 'Next')] : []),
  ]
  return [note(`Page ${page.at + 1} of ${page.of}.`), actions(elements)]
}

/** A button that opens the form for a command of which something was left out. */
function formButton(ask: NonNullable<Reply['ask']>): Block[] {
  const value = JSON.stringify({ command: ask.command, given: ask.given })
  return value.length > limits.value
    ? []
    : [actions([{ type: 'button', action_id: 'form', text: plainText('Fill in a form', limits.label), value }])]
}

/**
 * Renders a Reply as Block Kit within Slack's limits: whatever does not fit is cut and said to be.
 * @param filed whether the whole of a long code block is in a file beside the message
 */
export function render(letter: Pick<Letter, 'reply' | 'buttons'> & Partial<Letter>, filed = false): Message {
  const { reply } = letter
  const blocks: Block[] = [section(`${marks[reply.tone]}${reply.text}`)]
  if (reply.fields) blocks.push(...fieldBlocks(reply.fields))
  if (reply.table && reply.table.rows.length > 0) blocks.push(...tableBlock(reply.table))
  if (reply.code !== undefined) {
    const { shown, whole } = codeParts(reply.code)
    blocks.push(preformatted(shown))
    if (!whole)
      blocks.push(
        note(
          filed
            ? 'This is its end; the whole is in a file in our direct messages.'
            : 'This is its end; the rest did not fit here.',
        ),
      )
  }
  if (letter.page) blocks.push(...pageBlocks(letter.page))
  if (letter.buttons.length > 0) blocks.push(actions(letter.buttons.map(button)))
  if (reply.ask) blocks.push(...formButton(reply.ask))
  if (letter.repeat) blocks.push(note('This may be a repeat: DCM was interrupted while it sent this.'))
  return { text: cut(escape(reply.text), limits.fallback), blocks: blocks.slice(0, limits.blocks) }
}
