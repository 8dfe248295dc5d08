import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSlackStandIn, type SlackStandIn } from './slack/index.ts'

let slack: SlackStandIn
let token: string
const ok = () => new Response('')
const ada = () => slack.person('UADA', 'T1', 'ada')
beforeAll(async () => {
  slack = await createSlackStandIn()
  token = slack.install('T1')
  slack.join('C1')
})
afterAll(() => slack.close())
beforeEach(() => {
  slack.heal()
  slack.violations.length = 0
  slack.connect('http', ok)
  ada()
})

const api = async (method: string, args: Record<string, unknown>, bearer: string | null = token) =>
  (await (
    await fetch(`${slack.apiUrl}${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
      body: JSON.stringify(args),
    })
  ).json()) as { ok: boolean; error?: string; ts?: string; channel?: string }
const said = (url: string, body: unknown) => fetch(url, { method: 'POST', body: JSON.stringify(body) })
const text = (words: string) => ({ type: 'plain_text', text: words })

describe('it catches a bot that', () => {
  test('shows no token, a wrong one, a revoked one, or one without the scope', async () => {
    const post = { channel: 'C1', text: 'hello' }
    expect((await api('chat.postMessage', post, null)).error).toBe('not_authed')
    expect((await api('chat.postMessage', post, 'xoxb-nobody')).error).toBe('invalid_auth')
    const poor = slack.install('T1', { scopes: ['commands'] })
    expect((await api('chat.postMessage', post, poor)).error).toBe('missing_scope')
    slack.revoke(poor)
    expect((await api('auth.test', {}, poor)).error).toBe('token_revoked')
    expect(slack.violations).toEqual(['chat.postMessage without the scope chat:write'])
  })

  test.each([
    ['51 blocks', Array.from({ length: 51 }, () => ({ type: 'divider' }))],
    ['a section of 3001', [{ type: 'section', text: text('x'.repeat(3001)) }]],
    ['an empty section', [{ type: 'section' }]],
    ['no text in a text', [{ type: 'section', text: text('') }]],
    ['11 fields', [{ type: 'section', fields: Array.from({ length: 11 }, () => text('x')) }]],
    ['a label of 76', [{ type: 'actions', elements: [{ type: 'button', text: text('x'.repeat(76)), value: 'v' }] }]],
    [
      '26 buttons',
      [
        {
          type: 'actions',
          elements: Array.from({ length: 26 }, (_, n) => ({ type: 'button', action_id: `a${n}`, text: text('x') })),
        },
      ],
    ],
    [
      'an action_id twice',
      [{ type: 'actions', elements: [1, 2].map(() => ({ type: 'button', action_id: 'a', text: text('x') })) }],
    ],
    [
      'a value of 2001',
      [{ type: 'actions', elements: [{ type: 'button', text: text('x'), value: 'v'.repeat(2001) }] }],
    ],
    [
      'a question of 301',
      [
        {
          type: 'actions',
          elements: [
            {
              type: 'button',
              text: text('x'),
              confirm: { title: text('t'), text: text('x'.repeat(301)), confirm: text('y'), deny: text('n') },
            },
          ],
        },
      ],
    ],
    [
      'an input in a message',
      [{ type: 'input', block_id: 'a', label: text('x'), element: { type: 'plain_text_input' } }],
    ],
    ['an unknown block', [{ type: 'hologram' }]],
  ])('sends %s', async (_, blocks) => {
    expect(await api('chat.postMessage', { channel: 'C1', text: 'x', blocks })).toMatchObject({
      ok: false,
      error: 'invalid_blocks',
    })
    expect(slack.violations).toHaveLength(1)
  })

  test('lets a mention through, or sends nothing', async () => {
    await api('chat.postMessage', { channel: 'C1', text: 'hi <!channel>' })
    expect(slack.violations).toEqual(['a mention gets through: hi <!channel>'])
    expect((await api('chat.postMessage', { channel: 'C1' })).error).toBe('no_text')
  })

  test('posts where it is no member, to nobody, or edits what is not its own', async () => {
    expect((await api('chat.postMessage', { channel: 'C404', text: 'x' })).error).toBe('not_in_channel')
    expect((await api('conversations.open', { users: 'UNOBODY' })).error).toBe('user_not_found')
    expect((await api('chat.update', { channel: 'C1', ts: '1.1', text: 'x' })).error).toBe('message_not_found')
  })

  test('tries again before Retry-After is over', async () => {
    slack.fault({ method: 'chat.postMessage', status: 429, retryAfter: 30 })
    await fetch(`${slack.apiUrl}chat.postMessage`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    await api('chat.postMessage', { channel: 'C1', text: 'x' })
    expect(slack.violations).toEqual([expect.stringContaining('before Retry-After was over')])
  })

  test('acknowledges too late', async () => {
    slack.connect('http', async () => {
      await sleep(3050)
      return new Response('')
    })
    await slack.command(ada(), 'ps')
    expect(slack.violations).toEqual([expect.stringMatching(/^acknowledged after 3\d\d\d ms$/)])
  })

  test('uses a trigger late or twice, or shows an impossible form', async () => {
    const view = { type: 'modal', title: text('x'), blocks: [] }
    const first = slack.commandBody(ada(), 'x')
    expect((await api('views.open', { trigger_id: 'made up', view })).error).toBe('invalid_trigger_id')
    expect((await api('views.open', { trigger_id: first.trigger, view })).ok).toBe(true)
    expect((await api('views.open', { trigger_id: first.trigger, view })).error).toBe('exchanged_trigger_id')
    const second = slack.commandBody(ada(), 'x')
    slack.advance(3100)
    expect((await api('views.open', { trigger_id: second.trigger, view })).error).toBe('expired_trigger_id')
    const third = slack.commandBody(ada(), 'x')
    expect(
      (await api('views.open', { trigger_id: third.trigger, view: { ...view, title: text('x'.repeat(25)) } })).ok,
    ).toBe(false)
    expect(slack.violations).toHaveLength(1)
  })
})

describe('response URLs', () => {
  test('are good five times, for half an hour, and those of slash commands replace nothing', async () => {
    const { url } = slack.commandBody(ada(), 'x')
    const before = slack.messages.length
    for (let n = 0; n < 5; n++) expect((await said(url, { text: `n${n}`, replace_original: true })).status).toBe(200)
    expect(slack.messages.length).toBe(before + 5)
    expect(await (await said(url, { text: 'more' })).json()).toEqual({ ok: false, error: 'used_url' })
    const late = slack.commandBody(ada(), 'x')
    slack.advance(30 * 60_000 + 1)
    expect(await (await said(late.url, { text: 'late' })).json()).toEqual({ ok: false, error: 'expired_url' })
  })

  test('of a button replace what it stands on, when asked to', async () => {
    await api('chat.postMessage', {
      channel: 'C1',
      text: 'q',
      blocks: [{ type: 'actions', elements: [{ type: 'button', action_id: 'a', text: text('Yes'), value: 'v' }] }],
    })
    const message = slack.messages.at(-1)!
    const seen: string[] = []
    slack.connect('http', async (request) => {
      seen.push(
        (JSON.parse(new URLSearchParams(await request.text()).get('payload')!) as { response_url: string })
          .response_url,
      )
      return new Response('')
    })
    await slack.press(ada(), message, 'Yes')
    const count = slack.messages.length
    await said(seen[0]!, { text: 'done', replace_original: true })
    expect([slack.messages.length, message.text, message.edits]).toEqual([count, 'done', 1])
    await said(seen[0]!, { text: 'new', replace_original: false })
    expect(slack.messages.length).toBe(count + 1)
  })
})

test('events that are not taken are sent again three times, with the retry header, and only to who may have them', async () => {
  const retries: (string | null)[] = []
  slack.connect('http', (request) => {
    retries.push(request.headers.get('x-slack-retry-num'))
    return new Response('', { status: 500 })
  })
  await slack.mention(ada(), 'ps')
  expect(retries).toEqual([null, '1', '2', '3'])
  slack.install('T3', { scopes: ['commands'] })
  expect((await slack.mention(slack.person('UX', 'T3'), 'ps')).body).toBe('not subscribed')
})

test('what it sends is signed with the secret, the time and the body', async () => {
  const seen: { body: string; at: number; signature: string }[] = []
  slack.connect('http', async (request) => {
    seen.push({
      body: await request.text(),
      at: Number(request.headers.get('x-slack-request-timestamp')),
      signature: request.headers.get('x-slack-signature')!,
    })
    return new Response('')
  })
  await slack.command(ada(), 'ps')
  const [one] = seen
  expect(slack.verify(one!.body, one!.at, one!.signature)).toBe(true)
  expect(slack.verify(`${one!.body}&`, one!.at, one!.signature)).toBe(false)
})

test('a file is there only once it was uploaded whole', async () => {
  const place = (await api('files.getUploadURLExternal', { filename: 'a.txt', length: 3 })) as unknown as {
    file_id: string
    upload_url: string
  }
  expect((await api('files.completeUploadExternal', { files: [{ id: place.file_id }], channel_id: 'C1' })).error).toBe(
    'file_not_found',
  )
  await fetch(place.upload_url, { method: 'POST', body: 'ab' })
  expect((await api('files.completeUploadExternal', { files: [{ id: place.file_id }], channel_id: 'C1' })).error).toBe(
    'file_update_failed',
  )
  await fetch(place.upload_url, { method: 'POST', body: 'abc' })
  expect((await api('files.completeUploadExternal', { files: [{ id: place.file_id }], channel_id: 'C1' })).ok).toBe(
    true,
  )
})
