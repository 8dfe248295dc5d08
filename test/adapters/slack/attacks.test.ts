import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { interpreted } from '../../stand-ins/slack/blocks.ts'
import { hostile } from '../../contracts/chat.ts'
import { createSlackRig, type SlackRig, textOf } from './setup.ts'
import { until } from '../../setup/until.ts'

let rig: SlackRig
let ada: Awaited<ReturnType<SlackRig['rig']['member']>>
let account: ReturnType<SlackRig['account']>
beforeAll(async () => {
  rig = await createSlackRig('http')
  ada = await rig.rig.member('ada')
  account = rig.account('ada')
})
afterAll(() => rig[Symbol.asyncDispose]())
afterEach(() => {
  rig.standIn.heal()
  expect(rig.standIn.violations.splice(0)).toEqual([])
})

type Extra = { off?: number; secret?: string; headers?: Record<string, string>; raw?: string }

const form = 'application/x-www-form-urlencoded'
const stored = async () => (await rig.world.rows('select id from outbox')).length
const creates = () => rig.world.host.fake.calls.filter((call) => call.method === 'engine.create').length

describe('G01: what Slack did not sign, now, is refused and leaves nothing', () => {
  test.each([
    ['forged with another secret', { secret: 'another secret of some length' }],
    ['stale', { off: -301 }],
    ['from the future', { off: 305 }],
    ['with a time that is none', { headers: { 'x-slack-request-timestamp': 'NaN' } }],
    ['with a time in exponents', { headers: { 'x-slack-request-timestamp': '1e10' } }],
    ['without a signature', { headers: { 'x-slack-signature': '' } }],
    ['with a short signature', { headers: { 'x-slack-signature': 'v0=abc' } }],
    ['with another version', { headers: { 'x-slack-signature': `v1=${'0'.repeat(64)}` } }],
    ['with another body than was signed', { raw: 'command=%2Fdcm&text=rm+-f+web' }],
  ] as [string, Extra][])('%s', async (_, { off = 0, ...extra }) => {
    await rig.quiet()
    const before = [await stored(), creates()]
    const { body } = rig.standIn.commandBody(account, 'create forged --image debian')
    expect(
      (await rig.standIn.post(body, form, { at: Math.floor(rig.standIn.now() / 1000) + off, ...extra })).status,
    ).toBe(401)
    await sleep(50)
    expect([await stored(), creates()]).toEqual(before)
  })

  test('replayed, word for word', async () => {
    const { body } = rig.standIn.commandBody(account, 'whoami')
    const at = Math.floor(rig.standIn.now() / 1000)
    expect((await rig.standIn.post(body, form, { at })).status).toBe(200)
    await rig.quiet()
    const before = await stored()
    expect((await rig.standIn.post(body, form, { at })).status).toBe(401)
    // With a header that nobody signed it looks like Slack's own repeat: taken, and nothing comes of it.
    expect((await rig.standIn.post(body, form, { at, retry: 1 })).status).toBe(200)
    // Signed anew by somebody who could: it is the same delivery still.
    expect((await rig.standIn.post(body, form, { at: at + 1 })).status).toBe(200)
    await sleep(100)
    expect(await stored()).toBe(before)
  })

  test.each([
    ['too large', `text=${'x'.repeat(1_100_000)}`, form, 413],
    ['no JSON', '{"type":', 'application/json', 400],
    ['a form with a broken payload', 'payload=%7B', form, 400],
    ['of another kind', '<xml/>', 'text/xml', 400],
    ['a list', '[1]', 'application/json', 400],
  ])('malformed or oversized: %s', async (_, body, type, status) => {
    expect((await rig.standIn.post(body, type)).status).toBe(status)
  })

  test('a payload of a kind that nobody knows is taken, so that Slack does not repeat it', async () => {
    expect(
      (await rig.standIn.post(JSON.stringify({ type: 'new_thing', team_id: 'T1' }), 'application/json')).status,
    ).toBe(200)
    expect(
      (await rig.standIn.interactive({ type: 'something_else', team: { id: 'T1' }, user: { id: 'U1' } })).status,
    ).toBe(200)
  })

  test("Slack's own checks are answered", async () => {
    expect(
      await rig.standIn.post(JSON.stringify({ type: 'url_verification', challenge: 'abc' }), 'application/json'),
    ).toMatchObject({ status: 200, body: '{"challenge":"abc"}' })
    expect(await rig.standIn.post('ssl_check=1&text=rm+-f+web', form, { secret: 'unsigned in truth' })).toMatchObject({
      status: 200,
      body: '',
    })
  })

  test('a body with a charset is read', async () => {
    const { body } = rig.standIn.commandBody(account, 'whoami')
    expect((await rig.standIn.post(body, `${form}; charset=utf-8`)).status).toBe(200)
    await rig.quiet()
  })
})

test('G02: an event that comes four times has one effect, and each is answered', async () => {
  const before = creates()
  for (const retry of [0, 1, 2, 3])
    expect(
      (await rig.standIn.mention(account, 'create mentioned --image debian', { id: 'Ev0001', retry })).status,
    ).toBe(200)
  await rig.quiet()
  expect(creates()).toBe(before + 1)
})

test('G03: while the engine hangs everything is acknowledged in time, and the results come later, in the right place', async () => {
  const free = rig.world.host.fake.hold('engine.start')
  const before = rig.snapshot()
  const acks = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      rig.standIn.command(account, `create slow${n} --image debian`, { channel: n % 2 ? 'C1' : `D${account.id}` }),
    ),
  )
  expect(acks.map((ack) => ack.status)).toEqual(acks.map(() => 200))
  expect((await rig.standIn.command(account, 'whoami')).status).toBe(200)
  free()
  const ready = () => rig.standIn.messages.filter((one) => !before.has(one) && /slow\d+ is running/.test(one.text))
  await until('all of them to run', () => ready().length >= 40)
  const got = ready()
  expect(got.length).toBe(40)
  expect(got.every((one) => one.to === account.id)).toBe(true)
  expect(new Set(got.map((one) => one.channel))).toEqual(new Set(['C1', `D${account.id}`]))
  for (let n = 0; n < 40; n++) await rig.world.say(ada.person, `rm -f slow${n}`)
}, 120_000)

describe('G05: whose account it is', () => {
  test('the same user id from another workspace, and a guest by Slack Connect, are strangers', async () => {
    rig.standIn.install('T2')
    const before = rig.snapshot()
    await rig.standIn.command({ ...account, team: 'T2' }, 'whoami')
    expect(textOf((await rig.next(account, before)).at(-1)!)).toContain('type link for a code')
    const second = rig.snapshot()
    // Their own workspace is T9; they act in T1, where that id is a member's.
    await rig.standIn.mention({ ...account, team: 'T9' }, 'whoami', { workspace: 'T1' })
    expect(textOf((await rig.next(account, second)).at(-1)!)).toContain('type link for a code')
    const shown = await ada.someone.type('create guarded --image debian')
    const third = rig.snapshot()
    const { message } = shown.raw as { message: SlackRig['standIn']['messages'][number] }
    const stop = rig.standIn.buttonsOf(message).find((one) => one.label === 'Stop')!
    await rig.standIn.interactive(
      rig.standIn.actionBody({ ...account, team: 'T9' }, { message, workspace: 'T1' }, stop),
    )
    expect(textOf((await rig.next(account, third)).at(-1)!)).toContain('type link for a code')
    expect(await rig.world.container(ada.person, 'guarded')).toMatchObject({ state: 'running' })
  })

  test('in an organisation people are keyed by it, from whichever of its workspaces they come', async () => {
    await using org = await createSlackRig('http')
    const token = org.standIn.install('', { enterprise: 'E1', org: true })
    await org.process().chat.installed('slack', 'E1', JSON.stringify({ botToken: token }))
    const grace = await org.world.member('grace')
    await org.world.say(org.world.admin, 'user link grace slack:E1/W0001')
    const person = org.standIn.person('W0001', 'T5')
    const before = org.snapshot()
    await org.standIn.command(person, 'whoami')
    const seen = (await org.next(person, before)).at(-1)!
    expect(textOf(seen)).toContain('You are grace')
    await org.standIn.command(person, 'create web --image debian')
    await org.quiet()
    const made = org.standIn.messages.find((one) => /web is running/.test(one.text))!
    const stop = org.standIn.buttonsOf(made).find((one) => one.label === 'Stop')!
    await org.standIn.interactive(org.standIn.actionBody(person, { message: made }, stop))
    await org.quiet()
    expect(await org.world.container(grace, 'web')).toMatchObject({ state: 'exited' })
    // One of another organisation whose workspace nobody has seen is not one of this.
    const other = org.snapshot()
    const start = { action_id: stop.action_id, value: stop.value }
    await org.standIn.interactive(org.standIn.actionBody({ ...person, team: 'T77' }, { message: made }, start))
    expect(textOf((await org.next(person, other)).at(-1)!)).toContain('type link for a code')
  })
})

describe('G10: who is gone is refused', () => {
  test('a deactivated account', async () => {
    const zoe = await rig.rig.member('zoe')
    const shown = await zoe.someone.type('create hers --image debian')
    await rig.standIn.event(rig.account('zoe'), 'user_change', { user: { id: 'UZOE', team_id: 'T1', deleted: true } })
    await until('zoe to be unlinked', async () => (await rig.world.store.identities.of(zoe.person.id)).length === 0)
    expect((await zoe.someone.press(shown, 'Stop')).text).toContain('type link for a code')
    expect((await zoe.someone.type('ps')).text).toContain('type link for a code')
  })

  test('a workspace that threw the app out, until it is installed again; late news of an earlier end change nothing', async () => {
    await using gone = await createSlackRig('http')
    const kim = await gone.rig.member('kim')
    const person = gone.account('kim')
    expect((await kim.someone.type('whoami')).text).toContain('You are kim')
    await gone.standIn.event(person, 'app_uninstalled', {}, { time: Math.floor(Date.now() / 1000) - 3600 })
    await sleep(100)
    expect((await kim.someone.type('whoami')).text).toContain('You are kim')
    await gone.standIn.event(
      person,
      'tokens_revoked',
      { tokens: { bot: ['UBOT'] } },
      { time: Math.floor(Date.now() / 1000) + 5 },
    )
    await sleep(100)
    expect((await kim.someone.type('whoami')).text).toContain('type link for a code')
    expect((await gone.process().chat.installation('slack', 'T1'))?.secret).toBeNull()
    await gone.process().chat.installed('slack', 'T1', JSON.stringify({ botToken: gone.token }))
    expect((await kim.someone.type('whoami')).text).toContain('You are kim')
  })
})

test('G11: secrets, ports and keys are told to the asker alone, whatever is used and wherever', async () => {
  await rig.rig.member('boss', 'admin')
  const boss = rig.account('boss')
  const before = new Set(rig.standIn.messages)
  const key = `ssh-ed25519 ${Buffer.from(`\0\0\0\x0bssh-ed25519\0\0\0 ${'k'.repeat(32)}`, 'latin1').toString('base64')}`
  for (const line of [
    'create private --image debian -p 80',
    'ssh private',
    'ps',
    'inspect private',
    'token new hidden',
    `key add ${key}`,
    'key ls',
    'link',
    'create private2 --image debian --post',
  ])
    await rig.standIn.command(account, line, { channel: 'C1' })
  for (const line of ['ssh private', 'token new hidden2', 'ps'])
    await rig.standIn.mention(account, line, { channel: 'C1' })
  await rig.standIn.command(boss, 'user show ada', { channel: 'C1' })
  await rig.quiet()
  const fresh = rig.standIn.messages.filter((one) => !before.has(one))
  expect(fresh.length).toBeGreaterThanOrEqual(13)
  const open = fresh.filter((one) => one.to === null && one.channel.startsWith('C'))
  expect(open.map((one) => one.text)).toEqual(['ada used create private2.'])
  for (const one of open) expect(JSON.stringify(one)).not.toMatch(/ssh -p|dcm_|SHA256|127\.0\.0\.1|dcm\.example/)
  // A notification shows the fallback: it never holds what is secret either.
  for (const one of fresh) expect(one.text).not.toMatch(/ssh -p|dcm_[0-9A-Za-z]{8}|link [0-9a-z]{4}-/)
  expect(JSON.stringify(rig.said)).not.toMatch(/dcm_[0-9A-Za-z]{32}|xoxb-|ssh -p 2/)
})

describe('G12: Slack fails', () => {
  test('429: nothing is tried before Retry-After, the work is done, and the answer comes once', async () => {
    rig.standIn.fault({ method: 'response_url', status: 429, retryAfter: 1 })
    const before = rig.snapshot()
    await rig.standIn.command(account, 'create limited --image debian')
    const got = await rig.next(account, before)
    await rig.quiet()
    expect(got.map((one) => one.text)).toEqual([expect.stringContaining('limited is running')])
    expect((await rig.next(account, before)).length).toBe(1)
  })

  test.each([
    ['500', { status: 500 }],
    ['a reset connection', { reset: true as const }],
  ])('%s: it is tried again and arrives', async (_, fault) => {
    rig.standIn.fault({ method: 'response_url', ...fault })
    const before = rig.snapshot()
    await rig.standIn.command(account, 'whoami')
    expect(textOf((await rig.next(account, before)).at(-1)!)).toContain('You are ada')
    await rig.quiet()
    expect((await rig.next(account, before)).length).toBe(1)
  })

  test('the answer to a send is lost: what comes again says that it may be a repeat', async () => {
    rig.standIn.fault({ method: 'response_url', reset: true, after: true })
    const before = rig.snapshot()
    await rig.standIn.command(account, 'whoami')
    const got = await until('the repeat', async () => {
      const seen = await rig.next(account, before)
      return seen.length > 1 && seen
    })
    expect(got.map((one) => /may be a repeat/.test(textOf(one)))).toEqual([false, true])
  })

  test('an expired response URL: the answer comes as a direct message', async () => {
    const free = rig.world.host.fake.hold('engine.start')
    const before = rig.snapshot()
    await rig.standIn.command(account, 'create patient --image debian', { channel: 'C1' })
    await sleep(100)
    rig.standIn.advance(31 * 60_000)
    free()
    const got = (await rig.next(account, before)).at(-1)!
    expect(got).toMatchObject({ channel: `D${account.id}`, text: expect.stringContaining('patient is running') })
  })

  test('a URL that was used up: likewise', async () => {
    const made = rig.standIn.commandBody(account, 'whoami')
    for (let n = 0; n < 5; n++) await fetch(made.url, { method: 'POST', body: JSON.stringify({ text: 'used up' }) })
    const before = rig.snapshot()
    await rig.standIn.post(made.body, form)
    expect((await rig.next(account, before)).at(-1)).toMatchObject({ channel: `D${account.id}` })
  })

  test('a revoked token: DCM serves on, and what is owed comes when it is good again', async () => {
    await using poor = await createSlackRig('http')
    await poor.rig.member('ida')
    const ida = poor.account('ida')
    poor.standIn.revoke(poor.token)
    const before = poor.snapshot()
    await poor.standIn.direct(ida, 'whoami')
    const owed = () => poor.world.rows(`select status from outbox where status = 'owed'`)
    await until('an answer to be owed', async () => (await owed()).length === 1)
    // A slash command needs no token to be answered.
    await poor.standIn.command(ida, 'whoami')
    expect(textOf((await poor.next(ida, before)).at(-1)!)).toContain('You are ida')
    const second = poor.snapshot()
    poor.standIn.restore(poor.token)
    // The pause that it asked for is this process's; another one begins without it.
    await poor.rig.restart()
    await poor.world.sql(`update outbox set next_at = now() where status = 'owed'`)
    expect((await poor.next(ida, second)).at(-1)).toMatchObject({ channel: `D${ida.id}` })
  })
})

describe('a database that does not answer', () => {
  test.each(['before', 'after'] as const)(
    '(%s): everything is acknowledged, it is said that nothing was done, and nothing is, then or later',
    async (when) => {
      await using slow = await createSlackRig('http', { storeWithin: 150 })
      const lee = await slow.rig.member('lee')
      const person = slow.account('lee')
      const free = slow.stall(when)
      const before = slow.snapshot()
      const acks = await Promise.all(
        Array.from({ length: 20 }, (_, n) => slow.standIn.command(person, `create never${n} --image debian`)),
      )
      expect(acks.map((ack) => ack.status)).toEqual(acks.map(() => 200))
      await until('twenty answers', () => slow.standIn.messages.filter((one) => !before.has(one)).length >= 20)
      const said = slow.standIn.messages.filter((one) => !before.has(one))
      expect(said.map((one) => /nothing was done/.test(one.text))).toEqual(acks.map(() => true))
      free()
      await slow.quiet()
      await sleep(1500)
      expect(await slow.world.store.containers.of(lee.person.id)).toEqual([])
      expect(slow.standIn.messages.filter((one) => /never/.test(one.text))).toEqual([])
      // And then it works again.
      expect((await lee.someone.type('create now --image debian')).text).toContain('now is running')
      expect(slow.standIn.violations).toEqual([])
    },
  )
})

test('I01: nothing that members write is interpreted', async () => {
  const before = new Set(rig.standIn.messages)
  const boss = rig.account('boss')
  await rig.world.say(rig.world.admin, `device add odd /dev/null --about '${hostile.replaceAll("'", '')}'`)
  await rig.standIn.command(boss, 'device ls')
  await rig.standIn.command(account, `inspect '${hostile.slice(0, 50)}'`)
  await rig.standIn.command(account, `request port:443 --why '${hostile}'`)
  await rig.standIn.direct(
    account,
    `inspect '${hostile.slice(0, 50).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')}'`,
  )
  await rig.quiet()
  const fresh = rig.standIn.messages.filter((one) => !before.has(one))
  expect(fresh.length).toBeGreaterThanOrEqual(5)
  for (const one of fresh)
    for (const text of interpreted(one)) expect(text).not.toMatch(/<[!@#h]|(^|[^&\w;])&(?!amp;|lt;|gt;)/)
  expect(fresh.some((one) => textOf(one).includes('<!channel>'))).toBe(true)
})

test('I03: colours, cursor movements and bidi marks of a log are taken out', async () => {
  const container = await rig.world.container(ada.person, 'private')
  rig.world.host.fake.write(
    container.engineId!,
    '\u001b[31mred\u001b[0m \u001b]52;c;ZXZpbA==\u0007 \u001b[2J a\u202eb \rc\bd\n',
  )
  const seen = await ada.someone.type('logs private')
  // oxlint-disable-next-line no-control-regex
  expect(seen.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  expect(seen.text).toContain('red')
})
