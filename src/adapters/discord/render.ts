import type { Letter } from '../../core/chat/outlet.ts'
import { confirmationOf } from '../../core/reply/confirm.ts'
import type { Reply } from '../../core/reply/reply.ts'
import { columns, plain, width } from '../../core/reply/text.ts'
import { block, cut, escape, span, touchy } from './escape.ts'

/** Discord's own limits: «Message» and «Component Reference» of its documentation. */
const limits = {
  description: 4096,
  embed: 5900,
  fields: 25,
  name: 256,
  value: 1024,
  label: 80,
  rows: 5,
  perRow: 5,
  options: 25,
  id: 100,
}

/** What of a preformatted text stands in the message; more than that is a file. */
const shown = { characters: 1800, lines: 30, tail: 900 }
/** Bytes of a file: everyone may be sent 10 MiB. */
const longest = 8 * 2 ** 20
/** Columns that fit next to each other on a desktop; on a phone every table is too wide. */
const wide = 58

const colours: Record<Reply['tone'], number> = { ok: 0x2e7d32, info: 0x5865f2, warn: 0xf9a825, error: 0xc62828 }

export type Embed = {
  color: number
  description: string
  fields?: { name: string; value: string; inline: boolean }[]
  footer?: { text: string }
}
export type Component =
  | { type: 2; style: 1 | 2 | 3 | 4; label: string; custom_id: string }
  | { type: 3; custom_id: string; placeholder: string; options: { label: string; value: string; default: boolean }[] }
export type Row = { type: 1; components: Component[] }

/** A message in Discord's words, as it is made or as an earlier one becomes it; every part is said, so that nothing of the earlier one stays. */
export type Body = {
  content: string
  embeds: Embed[]
  components: Row[]
  attachments: { id: number; filename: string }[]
  allowed_mentions: { parse: [] }
}
export type Rendered = { body: Body; files: { name: string; data: Buffer }[] }

/** Nobody is ever pinged. */
const allowed_mentions: { parse: [] } = { parse: [] }

/** What a button sends back: who made it is asked of the core, never of this. */
export const ids = {
  /** Runs its line; the answer is a new message. */
  press: (id: string) => `p:${id}`,
  /** Answers the question on its message, which the answer replaces. */
  answer: (id: string) => `q:${id}`,
  /** Asks first whether it is meant. */
  ask: (id: string) => `c:${id}`,
  /** Says that it is meant. */
  sure: (id: string) => `d:${id}`,
  cancel: 'n',
  page: (id: string, at: number) => `g:${id}:${at}`,
  pages: (id: string) => `s:${id}`,
  form: (command: string) => `f:${command}`,
}

const label = (text: string) => cut(plain(text).replace(/\s+/g, ' ').trim() || 'OK', limits.label)

function inRows(buttons: Component[], rows: number): Row[] {
  const some = buttons.slice(0, rows * limits.perRow)
  return Array.from({ length: Math.ceil(some.length / limits.perRow) }, (_, n) => ({
    type: 1 as const,
    components: some.slice(n * limits.perRow, (n + 1) * limits.perRow),
  }))
}

/** Turning pages: back and forth, and a menu where there are many; a menu holds 25 of them. */
function pageRows(page: NonNullable<Letter['page']>): Row[] {
  const { id, at, of } = page
  const turn = (text: string, to: number): Component => ({
    type: 2,
    style: 2,
    label: text,
    custom_id: ids.page(id, to),
  })
  const buttons = [...(at > 0 ? [turn('◀ Back', at - 1)] : []), ...(at < of - 1 ? [turn('More ▶', at + 1)] : [])]
  const first = Math.max(0, Math.min(at - 12, of - limits.options))
  const options = Array.from({ length: Math.min(of, limits.options) }, (_, n) => ({
    label: `Page ${first + n + 1} of ${of}`,
    value: String(first + n),
    default: first + n === at,
  }))
  const menu: Row[] =
    of > 2
      ? [{ type: 1, components: [{ type: 3, custom_id: ids.pages(id), placeholder: 'Go to a page', options }] }]
      : []
  return [{ type: 1, components: buttons }, ...menu]
}

/** Whether a reply is the question before a command. */
const asks = (reply: Reply) => confirmationOf(reply) !== undefined

function components(letter: Letter): Row[] {
  const { reply, page } = letter
  const pages = page ? pageRows(page) : []
  const question = asks(reply)
  const buttons: Component[] = letter.buttons.map((button) => ({
    type: 2,
    style: button.danger ? 4 : question ? 2 : 1,
    label: label(button.label),
    custom_id: question ? ids.answer(button.id) : button.danger ? ids.ask(button.id) : ids.press(button.id),
  }))
  const form = reply.ask && ids.form(reply.ask.command)
  if (form && form.length <= limits.id) buttons.unshift({ type: 2, style: 1, label: 'Fill in a form', custom_id: form })
  return [...inRows(buttons, limits.rows - pages.length), ...pages]
}

/** A table as text in columns where it is narrow, else a few lines for each row. */
function tableText({ head, rows }: NonNullable<Reply['table']>, room: number): string {
  const short = rows.map((row) => row.map((cell) => cut(plain(cell).replace(/\s+/g, ' '), 200)))
  const text = columns([head, ...short])
  if (Math.max(...text.split('\n').map(width)) <= wide && text.length + 12 <= room) return block(text)
  const title = `*${head.map(escape).join(' · ')}*`
  const each = Math.max(60, Math.floor((room - title.length - 1) / Math.max(1, rows.length)) - 2)
  const cards: string[] = [title]
  let left = room - title.length
  for (const [n, [first = '', ...others]] of short.entries()) {
    const card = fit(
      [`**${escape(first) || '-'}**`, ...others.map((cell) => (touchy(cell) ? span(cell) : escape(cell) || '-'))],
      each,
    )
    if (card.length + 45 > left) {
      cards.push(`… and ${rows.length - n} more, which do not fit here.`)
      break
    }
    left -= card.length + 1
    cards.push(card)
  }
  return cards.join('\n')
}

/** As many facts as there is room for, whole: half a code span would let Markdown out. */
function fit(facts: string[], room: number): string {
  let text = facts[0]!.length <= room ? facts[0]! : '**…**'
  for (const fact of facts.slice(1)) {
    if (text.length + fact.length + 3 > room) return `${text} …`
    text += ` · ${fact}`
  }
  return text
}

function fieldsOf(fields: Record<string, string>, room: number): Embed['fields'] {
  const out: NonNullable<Embed['fields']> = []
  let left = room
  const all = Object.entries(fields)
  for (const [n, [key, raw]] of all.entries()) {
    const flat = plain(raw)
    const text = flat.trim() === '' ? '-' : flat
    const value = touchy(text) && text.length <= 900 ? cut(span(text), limits.value) : cut(escape(text), limits.value)
    const name = cut(escape(key) || '-', limits.name)
    const over = out.length === limits.fields - 1 && n < all.length - 1
    if (over || name.length + value.length > left) {
      out.push({ name: '…', value: `${all.length - n} more do not fit here.`, inline: false })
      break
    }
    left -= name.length + value.length
    out.push({ name, value, inline: text.length <= 24 })
  }
  return out
}

/** A text file; of what is too long for one, its end, which is what counts in a log. */
function fileOf(code: string): Buffer {
  const bytes = Buffer.from(plain(code))
  if (bytes.length <= longest) return bytes
  const tail = bytes.subarray(bytes.length - longest)
  // Not in the middle of a line, nor of a character.
  const from = tail.indexOf(10)
  return Buffer.concat([Buffer.from('(cut: this is the end of it)\n'), tail.subarray(from < 0 ? 0 : from + 1)])
}

/** Preformatted text in the message, or its end and all of it as a file. */
function codeText(code: string, room: number): { text: string; file?: Buffer } {
  const whole = block(code)
  const lines = code.trimEnd().split('\n').length
  if (whole.length <= Math.min(room, shown.characters) && lines <= shown.lines) return { text: whole }
  const note = `The end of it; all ${lines} lines are in the file.`
  const lasts = plain(code.slice(-8 * shown.tail))
    .trimEnd()
    .slice(-shown.tail)
    .split('\n')
    .slice(-10)
  // A cut through a pair of surrogates would leave half a character.
  const end = block(lasts.join('\n').replace(/^[\udc00-\udfff]/, ''))
  return {
    text: note.length + end.length + 1 <= room ? `${note}\n${end}` : `All ${lines} lines are in the file.`,
    file: fileOf(code),
  }
}

const unfit = '*The rest does not fit here.*'

/** Renders one answer within Discord's limits: what does not fit is cut with a note, and never refused by the platform. */
export function render(letter: Letter): Rendered {
  const { reply, page } = letter
  const files: Rendered['files'] = []
  const parts = [cut(escape(reply.text), 1500)]
  if (letter.repeat) parts.push('*You may have seen this before: it is not known whether it arrived.*')
  const fields = reply.fields && Object.keys(reply.fields).length > 0 ? fieldsOf(reply.fields, 2400) : undefined
  const taken = (fields ?? []).reduce((sum, field) => sum + field.name.length + field.value.length, 0)
  const room = () => Math.min(limits.description, limits.embed - taken) - parts.join('\n').length - 10
  if (reply.table && reply.table.rows.length > 0) parts.push(tableText(reply.table, room()))
  if (reply.code) {
    const { text, file } = codeText(reply.code, room())
    parts.push(text)
    if (file) files.push({ name: 'dcm.txt', data: file })
  }
  // Whole parts or none: half a block would let Markdown out.
  while (parts.length > 1 && room() < -10) parts.splice(-1, 1, ...(parts.at(-1) === unfit ? [] : [unfit]))
  const embed: Embed = { color: colours[reply.tone], description: parts.join('\n') }
  if (fields) embed.fields = fields
  if (page) embed.footer = { text: `Page ${page.at + 1} of ${page.of}` }
  return {
    body: {
      content: '',
      embeds: [embed],
      components: components(letter),
      attachments: files.map(({ name }, id) => ({ id, filename: name })),
      allowed_mentions,
    },
    files,
  }
}

/** A reply that the adapter makes by itself: nothing on it can be pressed. */
export const renderReply = (reply: Reply): Body =>
  render({ id: '', reply, buttons: [], instead: false, repeat: false, open: false }).body

/** How a call is getting on. */
export const renderProgress = (text: string): Body => ({
  content: '',
  embeds: [{ color: colours.info, description: `⏳ ${cut(escape(text), 300)}` }],
  components: [],
  attachments: [],
  allowed_mentions,
})

/** The question before something that destroys, shown to whoever pressed it. */
export function renderSure(id: string, what: string): Body {
  const body = renderReply({ text: `Press the red button if you mean it: ${what}.`, tone: 'warn' })
  const buttons: Component[] = [
    { type: 2, style: 4, label: label(what), custom_id: ids.sure(id) },
    { type: 2, style: 2, label: 'Cancel', custom_id: ids.cancel },
  ]
  return { ...body, components: [{ type: 1, components: buttons }] }
}
