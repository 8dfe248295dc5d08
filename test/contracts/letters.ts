import fc from 'fast-check'
import type { Letter } from '../../src/core/chat/outlet.ts'
import type { Reply } from '../../src/core/reply/reply.ts'
import { hostile } from './chat.ts'

/** An answer as an outlet gets it. */
export const letter = (reply: Reply, more: Partial<Letter> = {}): Letter => ({
  id: 'abcdefghjkmn',
  reply,
  buttons: [],
  instead: false,
  repeat: false,
  open: false,
  ...more,
})

/** Every shape that a Reply has, as members see it. */
export const shapes: Record<string, Letter> = {
  'status card': letter(
    {
      text: 'web is running; log in with the ssh line below.',
      tone: 'ok',
      fields: { name: 'web', state: 'running', ssh: 'ssh -p 20001 root@dcm.example', ports: '80 -> dcm.example:20002' },
      private: true,
    },
    {
      buttons: [
        { id: 'b1', label: 'Stop' },
        { id: 'b2', label: 'Logs' },
      ],
    },
  ),
  'list with pages': letter(
    {
      text: 'You have 23 containers.',
      tone: 'info',
      table: {
        head: ['NAME', 'IMAGE', 'STATUS'],
        rows: Array.from({ length: 10 }, (_, n) => [`web${n}`, 'debian', 'Up 5m']),
      },
    },
    { page: { id: 'abcdefghjkmn', at: 1, of: 3 } },
  ),
  'wide list': letter({
    text: 'You have one container.',
    tone: 'info',
    table: {
      head: ['NAME', 'IMAGE', 'STATUS', 'SSH', 'PORTS'],
      rows: [['web', 'debian', 'Up 5m', 'ssh -p 20001 root@dcm.example', '80 -> dcm.example:20002']],
    },
  }),
  log: letter({ text: 'The log of web:', tone: 'info', code: 'listening on 8000\n\u001b[31mGET /\u001b[0m 200' }),
  'long log': letter({ text: 'The log of web:', tone: 'info', code: 'line of the log\n'.repeat(1000) }),
  refusal: letter(
    { text: 'You have no container called db; you have web.', tone: 'error', error: 'not_found' },
    { buttons: [{ id: 'b1', label: 'Try this' }] },
  ),
  confirmation: letter(
    { text: 'Remove web and everything inside it?', tone: 'warn', data: { confirm: true } },
    {
      buttons: [
        { id: 'b1', label: 'Confirm', danger: true },
        { id: 'b2', label: 'Cancel' },
      ],
    },
  ),
  'dangerous button': letter(
    { text: 'web is gone from Docker.', tone: 'warn' },
    { buttons: [{ id: 'b1', label: 'Remove it', danger: true, confirm: 'Really? This runs: rm web' }] },
  ),
  'missing arguments': letter({
    text: 'create needs NAME and --image.',
    tone: 'error',
    error: 'usage',
    ask: { command: 'create', given: {}, missing: ['name', 'image'] },
  }),
  repeat: letter({ text: 'Removed web.', tone: 'ok' }, { repeat: true }),
  hostile: letter(
    {
      text: hostile,
      tone: 'error',
      error: 'not_found',
      fields: { [hostile]: hostile },
      table: { head: ['A'], rows: [[hostile]] },
      code: hostile,
    },
    { buttons: [{ id: 'b1', label: hostile }] },
  ),
}

/** Whatever an answer may hold, made of such texts. */
export function anyLetter(text: fc.Arbitrary<string>): fc.Arbitrary<Letter> {
  const reply = fc.record(
    {
      text: text.map((one) => one || 'x'),
      tone: fc.constantFrom('ok' as const, 'info' as const, 'warn' as const, 'error' as const),
      fields: fc.dictionary(text, text, { maxKeys: 60 }),
      table: fc.record({
        head: fc.constant(['A', 'B']),
        rows: fc.array(
          fc.tuple(text, text).map((pair) => [...pair]),
          { maxLength: 12 },
        ),
      }),
      code: text,
    },
    { requiredKeys: ['text', 'tone'] },
  )
  const button = fc.record(
    { id: fc.uuid(), label: text, danger: fc.constant(true as const), confirm: text },
    { requiredKeys: ['id', 'label'] },
  )
  const buttons = fc.uniqueArray(button, { maxLength: 30, selector: ({ id }) => id })
  const page = fc.record({ id: fc.constant('abcdefghjkmn'), at: fc.nat(99), of: fc.constant(100) })
  return fc
    .tuple(reply, buttons, fc.option(page, { nil: undefined }))
    .map(([one, pressed, at]) =>
      letter(one as unknown as Reply, { buttons: pressed as Letter['buttons'], ...(at ? { page: at } : {}) }),
    )
}
