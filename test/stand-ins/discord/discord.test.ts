import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createDiscord, type Discord, type Exchange, type Person } from './index.ts'
import { checkCommands, checkMessage, checkModal, type Json } from './limits.ts'

/** The local Discord has to catch what a careless bot does; here is a careless bot. */
let discord: Discord
let lab: ReturnType<Discord['guild']>
let ada: Person
beforeAll(async () => {
  discord = await createDiscord()
  lab = discord.guild()
  ada = discord.person('ada', [lab])
  await bot('PUT', `/applications/${discord.applicationId}/commands`, [
    { name: 'ps', description: 'List.', contexts: [0] },
  ])
})
afterAll(() => discord.stop())

async function bot(
  method: string,
  path: string,
  body?: unknown,
  token = discord.token,
): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${discord.api}/v10${path}`, {
    method,
    headers: { authorization: `Bot ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: response.status === 204 ? {} : ((await response.json()) as Json) }
}

/** An interaction that nothing answers by itself; the bot below does, or does not. */
async function clicked(): Promise<{
  path: string
  hook: string
  exchange: Promise<Exchange>
  id: string
  token: string
}> {
  const made = ada.payload('ps')
  const exchange = ada.resend(made).then(() => undefined as never)
  const { id, token } = made.interaction
  return {
    id,
    token,
    path: `/interactions/${id}/${token}/callback`,
    hook: `/webhooks/${discord.applicationId}/${token}`,
    exchange,
  }
}

describe('windows and tokens', () => {
  test('an acknowledgement after three seconds is refused', async () => {
    const { path } = await clicked()
    discord.later(3500)
    expect(await bot('POST', path, { type: 5 })).toMatchObject({ status: 404, body: { code: 10062 } })
  })

  test('a second acknowledgement, and an answer of the wrong type, are refused', async () => {
    const { path } = await clicked()
    expect(await bot('POST', path, { type: 8, data: { choices: [] } })).toMatchObject({
      status: 400,
      body: { code: 50035 },
    })
    expect(await bot('POST', path, { type: 5 })).toMatchObject({ status: 204 })
    expect(await bot('POST', path, { type: 5 })).toMatchObject({ status: 400, body: { code: 40060 } })
  })

  test('before an acknowledgement and after fifteen minutes an interaction has no webhook', async () => {
    const { path, hook } = await clicked()
    expect(await bot('POST', hook, { content: 'early' })).toMatchObject({ status: 404, body: { code: 10015 } })
    await bot('POST', path, { type: 5 })
    expect(await bot('PATCH', `${hook}/messages/@original`, { content: 'in time' })).toMatchObject({ status: 200 })
    discord.later(15 * 60_000 + 1)
    expect(await bot('PATCH', `${hook}/messages/@original`, { content: 'late' })).toMatchObject({
      status: 401,
      body: { code: 50027 },
    })
  })

  test('a wrong token is refused everywhere but on an interaction', async () => {
    expect(await bot('GET', '/users/@me', undefined, 'wrong')).toMatchObject({ status: 401, body: { code: 0 } })
    const { path } = await clicked()
    expect((await bot('POST', path, { type: 5 }, 'wrong')).status).toBe(204)
  })

  test('the first follow-up after a public defer is public, whatever it wishes', async () => {
    const { path, hook } = await clicked()
    await bot('POST', path, { type: 5 })
    const { body } = await bot('POST', hook, { content: 'a secret', flags: 64 })
    expect(discord.state.messages.get(String(body['id']))?.only).toBeNull()
  })
})

describe('forms', () => {
  const field = { name: 'n', value: 'v' }
  const button = (id: string) => ({ type: 2, style: 1, label: 'x', custom_id: id })
  const row = (...components: Json[]) => ({ type: 1, components })
  test.for<[string, Json]>([
    ['content', { content: 'x'.repeat(2001) }],
    ['description', { embeds: [{ description: 'x'.repeat(4097) }] }],
    ['total of embeds', { embeds: [{ description: 'x'.repeat(4000) }, { description: 'x'.repeat(2001) }] }],
    ['fields', { embeds: [{ fields: Array.from({ length: 26 }, () => field) }] }],
    ['empty value', { embeds: [{ fields: [{ name: 'n', value: '' }] }] }],
    ['rows', { components: Array.from({ length: 6 }, (_, n) => row(button(`${n}`))) }],
    ['buttons', { components: [row(...Array.from({ length: 6 }, (_, n) => button(`${n}`)))] }],
    ['ids twice', { components: [row(button('a'), button('a'))] }],
    ['long id', { components: [row(button('a'.repeat(101)))] }],
    [
      'menu',
      {
        components: [
          row({
            type: 3,
            custom_id: 'm',
            options: Array.from({ length: 26 }, (_, n) => ({ label: 'l', value: `${n}` })),
          }),
        ],
      },
    ],
    [
      'values twice',
      {
        components: [
          row({
            type: 3,
            custom_id: 'm',
            options: [
              { label: 'l', value: '1' },
              { label: 'l', value: '1' },
            ],
          }),
        ],
      },
    ],
    ['nothing', {}],
  ])('a message is refused for its %s', ([, body]) => {
    expect(checkMessage(body, [], true)).not.toEqual([])
  })

  test('a message at every limit is taken', () => {
    const body = {
      content: 'x'.repeat(2000),
      embeds: [{ description: 'x'.repeat(4096), fields: [{ name: 'n'.repeat(256), value: 'v'.repeat(1024) }] }],
      components: [row(...Array.from({ length: 5 }, (_, n) => button(`${n}`)))],
    }
    expect(checkMessage(body, [], true)).toEqual([])
  })

  const command = (over: Json) => [{ name: 'x', description: 'd', ...over }]
  const option = (over: Json) => ({ type: 3, name: 'o', description: 'd', ...over })
  test.for<[string, Json[]]>([
    ['name', command({ name: 'Ps' })],
    ['description', command({ description: 'd'.repeat(101) })],
    ['options', command({ options: Array.from({ length: 26 }, (_, n) => option({ name: `o${n}` })) })],
    [
      'choices',
      command({
        options: [option({ choices: Array.from({ length: 26 }, (_, n) => ({ name: `${n}`, value: `${n}` })) })],
      }),
    ],
    ['required after optional', command({ options: [option({}), option({ name: 'p', required: true })] })],
    ['options beside subcommands', command({ options: [option({ type: 1 }), option({ name: 'p' })] })],
    [
      '8000 characters',
      command({
        options: Array.from({ length: 20 }, (_, n) =>
          option({
            name: `o${n}`,
            description: 'd'.repeat(100),
            choices: Array.from({ length: 25 }, (__, c) => ({ name: `${c}`.padEnd(10), value: `${c}`.padEnd(10) })),
          }),
        ),
      }),
    ],
    ['number', Array.from({ length: 101 }, (_, n) => ({ name: `c${n}`, description: 'd' }))],
  ])('commands are refused for their %s', ([, commands]) => {
    expect(checkCommands(commands)).not.toEqual([])
  })

  test('a form is refused for six fields, a long title or a bare input', () => {
    const label = (n: number) => ({ type: 18, label: 'l', component: { type: 4, custom_id: `${n}`, style: 1 } })
    const good = { custom_id: 'f', title: 't', components: [label(1)] }
    expect(checkModal(good)).toEqual([])
    expect(checkModal({ ...good, components: [1, 2, 3, 4, 5, 6].map(label) })).not.toEqual([])
    expect(checkModal({ ...good, title: 't'.repeat(46) })).not.toEqual([])
    expect(checkModal({ ...good, components: [{ type: 4, custom_id: 'x', style: 1 }] })).not.toEqual([])
  })
})

describe('what no form says', () => {
  test('a ping is noticed, where it is not forbidden', async () => {
    const before = discord.violations.length
    await bot('POST', `/channels/${lab.channel.id}/messages`, {
      content: 'hello @everyone',
      allowed_mentions: { parse: [] },
    })
    expect(discord.violations.length).toBe(before)
    await bot('POST', `/channels/${lab.channel.id}/messages`, { content: 'hello @everyone' })
    expect(discord.violations.slice(before)).toEqual([expect.stringContaining('pings everyone')])
  })

  test('a try before Retry-After is noticed', async () => {
    const before = discord.violations.length
    discord.trouble({
      when: (method, path) => method === 'GET' && path === '/users/@me',
      times: 1,
      how: { status: 429, body: { message: 'slow', retry_after: 5, global: false }, headers: { 'retry-after': '5' } },
    })
    expect((await bot('GET', '/users/@me')).status).toBe(429)
    await bot('GET', '/users/@me')
    expect(discord.violations.slice(before)).toEqual([expect.stringContaining('before Retry-After')])
  })

  test('the bot writes only where it may: in its servers, and to those who share one', async () => {
    const stranger = discord.person('eve')
    const { body } = await bot('POST', '/users/@me/channels', { recipient_id: stranger.id })
    expect(await bot('POST', `/channels/${String(body['id'])}/messages`, { content: 'hi' })).toMatchObject({
      status: 403,
      body: { code: 50007 },
    })
    const other = discord.guild('other')
    other.guild.members.delete(discord.state.botId)
    expect(await bot('POST', `/channels/${other.channel.id}/messages`, { content: 'hi' })).toMatchObject({
      status: 403,
      body: { code: 50001 },
    })
  })

  test('the same enforced nonce makes one message', async () => {
    const send = () =>
      bot('POST', `/channels/${lab.channel.id}/messages`, { content: 'once', nonce: 'n1', enforce_nonce: true })
    expect((await send()).body['id']).toBe((await send()).body['id'])
  })
})

describe('the gateway', () => {
  const open = (first: (socket: WebSocket) => void) =>
    new Promise<{ code: number }>((resolve) => {
      const socket = new WebSocket(discord.api.replace('http', 'ws').replace('/api', ''))
      socket.on('message', (raw: Buffer) => {
        if ((JSON.parse(raw.toString()) as { op: number }).op === 10) first(socket)
      })
      socket.on('close', (code) => resolve({ code }))
    })
  const identify = (over: Json) => (socket: WebSocket) =>
    socket.send(JSON.stringify({ op: 2, d: { token: discord.token, intents: 1, properties: {}, ...over } }))

  test('closes for a wrong token, and for an intent that was not granted', async () => {
    expect(await open(identify({ token: 'wrong' }))).toEqual({ code: 4004 })
    expect(await open(identify({ intents: 1 | (1 << 15) }))).toEqual({ code: 4014 })
  })
})

describe('an endpoint', () => {
  test('is not taken when it answers no ping, or believes a false signature', async () => {
    await expect(discord.endpoint(() => new Response('ok'))).rejects.toThrow(/could not be verified/)
    await expect(discord.endpoint(() => Response.json({ type: 1 }))).rejects.toThrow(/could not be verified/)
  })

  test('that is slow or answers nonsense has not responded', async () => {
    let pings = 0
    await discord.endpoint((request) => {
      if (++pings === 1) return Response.json({ type: 1 })
      return request.headers.get('x-signature-ed25519') === '0'.repeat(128)
        ? new Response('', { status: 401 })
        : Response.json({ type: 99 })
    })
    expect((await ada.slash('ps')).failed).toBe(true)
    expect(discord.violations.at(-1)).toContain('an answer was refused')
    await discord.endpoint(undefined)
  })
})
