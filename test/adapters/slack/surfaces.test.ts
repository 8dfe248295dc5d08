import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { publicKey } from '../../core/door/world.ts'
import { scopes } from '../../../src/adapters/slack/install.ts'
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
afterEach(() => expect(rig.standIn.violations.splice(0)).toEqual([]))

/** The form that opens next. */
const seenViews = new Set<string>()
const view = async (title: string) => {
  const found = await until(() =>
    [...rig.standIn.views.values()].find(
      (one) => !seenViews.has(one.id) && (one['title'] as { text: string }).text === title,
    ),
  )
  seenViews.add(found.id)
  return found
}

describe('forms', () => {
  test('create without anything opens one with the images to choose from; wrong fields are said beside them', async () => {
    await rig.standIn.command(account, 'create')
    const form = await view('create')
    expect(JSON.stringify(form)).toContain('"debian"')
    const wrong = await rig.standIn.submit(account, form, { name: 'Not A Name', image: 'debian', memory: 'lots' })
    expect(wrong.errors).toMatchObject({
      name: expect.stringContaining('container name'),
      memory: expect.stringContaining('512m'),
    })
    const before = rig.snapshot()
    const done = await rig.standIn.submit(account, form, {
      name: 'formed',
      image: 'debian',
      publish: '80\n53/udp',
      memory: '64m',
      command: 'sleep "9 9"',
    })
    expect(done).toMatchObject({ status: 200, body: '' })
    expect(textOf((await rig.next(account, before)).at(-1)!)).toContain('formed is running')
    expect(await rig.world.container(ada.person, 'formed')).toMatchObject({
      limits: { memory: 64 * 2 ** 20 },
      spec: { command: ['sleep', '9 9'] },
      ports: expect.arrayContaining([expect.objectContaining({ container: 80 })]),
    })
  })

  test('the same form sent twice makes one', async () => {
    await rig.standIn.command(account, 'create')
    const form = await view('create')
    const before = rig.snapshot()
    await Promise.all([0, 1].map(() => rig.standIn.submit(account, form, { name: 'double', image: 'debian' })))
    await rig.next(account, before)
    await rig.quiet()
    expect((await rig.next(account, before)).map((one) => one.text)).toEqual([
      expect.stringContaining('double is running'),
    ])
  })

  test('a key is added through one, and a private key is refused', async () => {
    await rig.standIn.command(account, 'key add')
    const form = await view('key add')
    const key = publicKey('ada@desk')
    let before = rig.snapshot()
    await rig.standIn.submit(account, form, { key: '-----BEGIN OPENSSH PRIVATE KEY-----\nabc' })
    const refused = (await rig.next(account, before)).at(-1)!
    expect(textOf(refused)).toMatch(/private/i)
    await rig.standIn.command(account, 'key add')
    const second = await view('key add')
    before = rig.snapshot()
    await rig.standIn.submit(account, second, { key })
    expect(textOf((await rig.next(account, before)).at(-1)!)).toContain('opens your containers now')
  })

  test('a stranger gets no form, but how to link', async () => {
    const stranger = rig.account('nobody')
    const [before, open] = [rig.snapshot(), rig.standIn.views.size]
    await rig.standIn.command(stranger, 'create')
    expect(textOf((await rig.next(stranger, before)).at(-1)!)).toContain('type link for a code')
    expect(rig.standIn.views.size).toBe(open)
  })

  test('a form that somebody else sends in is theirs, and is answered to them', async () => {
    await rig.standIn.command(account, 'create')
    const form = await view('create')
    const eve = await rig.rig.member('eve')
    const before = rig.snapshot()
    await rig.standIn.submit(rig.account('eve'), form, { name: 'taken', image: 'debian' })
    expect((await rig.next(rig.account('eve'), before)).at(-1)).toMatchObject({ channel: 'DUEVE' })
    expect(await rig.world.container(eve.person, 'taken')).toBeDefined()
    expect(await rig.world.store.containers.byName(ada.person.id, 'taken')).toBeUndefined()
  })
})

describe('the home page', () => {
  const home = async (person: typeof account) => {
    rig.standIn.homes.delete(person.id)
    await rig.standIn.event(person, 'app_home_opened', { user: person.id, tab: 'home', channel: `D${person.id}` })
    return until(() => rig.standIn.homes.get(person.id))
  }

  test('shows containers with what can be done, quota and requests; its buttons work', async () => {
    await ada.someone.type('request port:443 --for 4h')
    const shown = await home(account)
    const text = textOf(shown)
    expect(text).toMatch(/formed\nUp/)
    expect(text).toMatch(/memory\n[█░]{10} /)
    expect(text).toContain('port:443')
    const before = rig.snapshot()
    await rig.standIn.press(account, shown, 'Stop')
    expect((await rig.next(account, before)).at(-1)).toMatchObject({
      channel: `D${account.id}`,
      text: expect.stringMatching(/is stopped/),
    })
    // The page itself says so at once.
    const after = await until(() => {
      const now = rig.standIn.homes.get(account.id)
      return now && now !== shown && /\nExited/.test(textOf(now)) ? now : undefined
    })
    expect(
      rig.standIn
        .buttonsOf(after)
        .some((one) => one.label === 'Remove' && one.style === 'danger' && one.confirm !== undefined),
    ).toBe(true)
    await rig.standIn.press(account, shown, 'Create a container')
    const form = await view('create')
    expect(JSON.stringify(form)).toContain('"CPUs"')
    await rig.standIn.submit(account, form, { name: 'homemade', image: 'debian' })
    await until(() => {
      const now = rig.standIn.homes.get(account.id)
      return now && /homemade\nUp/.test(textOf(now)) ? now : undefined
    })
  })

  test("of an admin lets them decide on others' requests, and not on their own", async () => {
    const head = await rig.rig.member('head', 'admin')
    await head.someone.type('request cap:LEASE')
    const shown = await home(rig.account('head'))
    expect(textOf(shown)).toMatch(/ada: port:443[^]*head: cap:LEASE/)
    expect(rig.standIn.buttonsOf(shown).map((one) => one.label)).toEqual([
      'Create a container',
      'Approve for 4 h',
      'Approve for 1 d',
      'Deny',
    ])
    await rig.standIn.press(rig.account('head'), shown, 'Deny')
    const after = await until(() => {
      const now = rig.standIn.homes.get('UHEAD')
      return now && now !== shown && !textOf(now).includes('port:443') ? now : undefined
    })
    expect(textOf(after)).toContain('head: cap:LEASE')
    await until(() =>
      rig.standIn.messages.find(
        (one) => one.channel === `D${account.id}` && /head has denied your request for port:443/.test(one.text),
      ),
    )
  })

  test('of a stranger says how to link', async () => {
    expect(textOf(await home(rig.account('passer')))).toContain('type link for a code')
  })
})

describe('what is typed to the bot', () => {
  test('a direct message is one message that is edited with progress and ends as the result', async () => {
    const free = rig.world.host.fake.hold('engine.start')
    const before = new Set(rig.standIn.messages)
    await rig.standIn.direct(account, 'create talked --image debian')
    await until(() => rig.standIn.messages.find((one) => !before.has(one) && one.text.endsWith('…')))
    free()
    await until(() => rig.standIn.messages.find((one) => !before.has(one) && /talked is running/.test(one.text)))
    const fresh = rig.standIn.messages.filter((one) => !before.has(one))
    expect(fresh).toHaveLength(1)
    expect(fresh[0]!.edits).toBeGreaterThanOrEqual(1)
  })

  test('a mention in a channel is answered there to the one who asked, or directly where the bot is no member', async () => {
    let before = rig.snapshot()
    await rig.standIn.mention(account, 'whoami', { channel: 'C1' })
    expect((await rig.next(account, before)).at(-1)).toMatchObject({ channel: 'C1', to: account.id })
    before = rig.snapshot()
    await rig.standIn.mention(account, 'whoami', { channel: 'C404' })
    expect((await rig.next(account, before)).at(-1)).toMatchObject({ channel: `D${account.id}` })
  })

  test('what bots say, and what was edited, is not heard', async () => {
    const stored = async () => (await rig.world.rows('select id from outbox')).length
    const before = await stored()
    await rig.standIn.direct(account, 'create botted --image debian', { bot_id: 'B1' })
    await rig.standIn.direct(account, 'create edited --image debian', { subtype: 'message_changed' })
    await sleep(100)
    expect(await stored()).toBe(before)
  })

  test('nothing at all is answered with help', async () => {
    const before = rig.snapshot()
    await rig.standIn.command(account, '   ')
    expect(textOf((await rig.next(account, before)).at(-1)!)).toContain('These are the commands')
  })
})

test('a long list is turned over in place, on the message itself', async () => {
  for (let n = 0; n < 15; n++) await rig.world.say(ada.person, `token new page${n} --for 1d`)
  const seen = await ada.someone.type('token ls')
  expect(seen.text).toContain('Page 1 of 2.')
  const { message } = seen.raw as { message: SlackRig['standIn']['messages'][number] }
  const count = rig.standIn.messages.length
  const next = await ada.someone.press(seen, 'Next')
  expect(next.text).toContain('Page 2 of 2.')
  expect([rig.standIn.messages.length, message.edits]).toEqual([count, 1])
  expect((await ada.someone.press(next, 'Previous')).text).toContain('Page 1 of 2.')
})

test('a log that is too long for a message is a file in the direct messages of the one who asked', async () => {
  const container = await rig.world.container(ada.person, 'talked')
  for (let n = 0; n < 500; n++) rig.world.host.fake.write(container.engineId!, `line ${n} of a long log\n`)
  const seen = await ada.someone.type('logs talked --tail 1000')
  expect(seen.text).toContain('the whole is in a file in our direct messages')
  expect(rig.standIn.files.at(-1)).toMatchObject({ channel: `D${account.id}` })
  expect(rig.standIn.files.at(-1)!.content.toString()).toContain('line 0 of a long log')
})

describe('requests', () => {
  test('a card goes to the admins; one approves; the card says who and when; the asker hears; nobody approves their own', async () => {
    const boss = await rig.rig.member('boss', 'admin')
    const before = rig.snapshot()
    await boss.someone.type('request cap:NET_RAW --for 4h')
    await ada.someone.type('request cap:SYS_PTRACE --for 7d --why "strace"')
    const card = await until(() =>
      rig.standIn.messages.find(
        (one) => !before.has(one) && one.channel === 'DUBOSS' && one.text.includes('SYS_PTRACE'),
      ),
    )
    expect(rig.standIn.buttonsOf(card).map((one) => one.label)).toEqual(['Approve for 4 h', 'Approve for 1 d', 'Deny'])
    await rig.standIn.press(rig.account('boss'), card, 'Approve for 4 h')
    await until(() => (card.edits > 0 ? card : undefined))
    expect(textOf(card)).toMatch(/Approved by boss, 20\d\d-/)
    expect(rig.standIn.buttonsOf(card)).toEqual([])
    await until(() =>
      rig.standIn.messages.find(
        (one) => one.channel === `D${account.id}` && /boss granted you cap:SYS_PTRACE/.test(one.text),
      ),
    )
    expect((await rig.world.say(ada.person, 'grants')).text).toMatch(/one grant/i)
    const mine = (await rig.world.rows<{ id: string }>(`select id from requests where thing = 'cap:NET_RAW'`))[0]!
    expect((await boss.someone.type(`approve ${mine.id}`)).text).toContain('Another admin has to decide')
    expect((await ada.someone.type(`approve ${mine.id}`)).text).toContain('approve is for admins')
  })
})

describe('OAuth', () => {
  const withOauth = () => createSlackRig('http', { botToken: undefined })
  const open = async (oauth: SlackRig) => {
    await oauth[Symbol.asyncDispose]()
  }
  const options = (one: SlackRig) => ({
    clientId: one.standIn.app.clientId,
    clientSecret: one.standIn.app.clientSecret,
  })

  test('installs into a workspace for the browser that began, once, with the token sealed', async () => {
    const oauth = await withOauth()
    const { createSlack } = await import('../../../src/adapters/slack/index.ts')
    const said: unknown[] = []
    const log = {
      debug: () => undefined,
      info: (...words: unknown[]) => said.push(words),
      warn: (...words: unknown[]) => said.push(words),
      error: (...words: unknown[]) => said.push(words),
    }
    const { chat } = oauth.process()
    const make = () =>
      createSlack({
        door: oauth.world.door,
        chat,
        log: log as never,
        publicUrl: 'https://dcm.example',
        signingSecret: oauth.standIn.app.signingSecret,
        botToken: undefined,
        appToken: undefined,
        ...options(oauth),
        apiUrl: oauth.standIn.apiUrl,
        authorizeUrl: oauth.standIn.authorizeUrl,
        now: oauth.standIn.now,
      })
    const slack = make()
    expect(slack.problems).toEqual([])
    const begun = await slack.fetch(new Request('https://dcm.example/slack/install'))
    expect(begun.status).toBe(302)
    const cookie = begun.headers.get('set-cookie')!
    expect(cookie).toMatch(/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/)
    const jar = cookie.split(';')[0]!
    const agreed = oauth.standIn.consent(begun.headers.get('location')!, { team: 'T7' })
    const finish = (url: URL | string, headers: Record<string, string>) => slack.fetch(new Request(url, { headers }))
    // Another browser, no cookie, a state of one's own: nothing.
    expect((await finish(agreed, {})).status).toBe(400)
    expect((await finish(agreed, { cookie: 'dcm_slack_state=1.2.3' })).status).toBe(400)
    const forged = new URL(agreed)
    forged.searchParams.set('state', `${Math.floor(Date.now() / 1000)}.abc.def`)
    expect((await finish(forged, { cookie: `dcm_slack_state=${forged.searchParams.get('state')}` })).status).toBe(400)
    expect(await chat.installation('slack', 'T7')).toBeUndefined()
    expect((await finish(agreed, { cookie: jar })).status).toBe(200)
    expect((await chat.installation('slack', 'T7'))?.secret).toMatch(/xoxb-/)
    expect(JSON.stringify(await oauth.world.rows('select * from installations'))).not.toContain('xoxb-')
    expect(JSON.stringify(said)).not.toContain('xoxb-')
    // The code was good once.
    expect((await finish(agreed, { cookie: jar })).status).toBe(502)
    // Too late.
    const late = await slack.fetch(new Request('https://dcm.example/slack/install'))
    const back = oauth.standIn.consent(late.headers.get('location')!, { team: 'T8' })
    oauth.standIn.advance(11 * 60_000)
    expect((await finish(back, { cookie: late.headers.get('set-cookie')!.split(';')[0]! })).status).toBe(400)
    // Fewer scopes than the bot needs.
    const poor = await slack.fetch(new Request('https://dcm.example/slack/install'))
    const few = oauth.standIn.consent(poor.headers.get('location')!, { team: 'T8', scopes: ['commands'] })
    const told = await finish(few, { cookie: poor.headers.get('set-cookie')!.split(';')[0]! })
    expect([told.status, await told.text()]).toEqual([400, expect.stringContaining('chat:write')])
    expect(await chat.installation('slack', 'T8')).toBeUndefined()
    // And for a whole organisation.
    const org = await slack.fetch(new Request('https://dcm.example/slack/install'))
    const all = oauth.standIn.consent(org.headers.get('location')!, { team: '', enterprise: 'E7', org: true })
    expect(all.searchParams.get('code')).toBeTruthy()
    expect((await finish(all, { cookie: org.headers.get('set-cookie')!.split(';')[0]! })).status).toBe(200)
    expect(await chat.installation('slack', 'E7')).toBeDefined()
    expect(new URL(begun.headers.get('location')!).searchParams.get('scope')).toBe(scopes.join(','))
    await open(oauth)
  })
})

describe('configuration', () => {
  test.each([
    [{ signingSecret: undefined }, 'SLACK_SIGNING_SECRET'],
    [{ botToken: undefined }, 'SLACK_BOT_TOKEN'],
    [{ botToken: 'hunter2' }, 'SLACK_BOT_TOKEN is not'],
    [{ appToken: 'xoxb-123456789' }, 'SLACK_APP_TOKEN is not'],
    [{ clientId: '1.2' }, 'SLACK_CLIENT_SECRET'],
  ])('%o is said', async (over, words) => {
    const { createSlack } = await import('../../../src/adapters/slack/index.ts')
    const nothing = () => undefined
    const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
    const given = {
      signingSecret: 'a'.repeat(32),
      botToken: 'xoxb-123456789',
      appToken: undefined,
      clientId: undefined,
      clientSecret: undefined,
    }
    const slack = createSlack({
      ...given,
      ...over,
      door: rig.world.door,
      chat: { ...rig.process().chat, attach: nothing },
      log: log as never,
      publicUrl: 'https://dcm.example',
      apiUrl: rig.standIn.apiUrl,
      authorizeUrl: rig.standIn.authorizeUrl,
    })
    expect(slack.problems.join(' ')).toContain(words)
  })

  test.each(['botToken', 'appToken'] as const)('a wrong %s is found out and said; the rest works', async (name) => {
    const { createSlack } = await import('../../../src/adapters/slack/index.ts')
    const nothing = () => undefined
    const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
    const given = {
      signingSecret: 'a'.repeat(32),
      botToken: rig.token,
      appToken: undefined,
      clientId: undefined,
      clientSecret: undefined,
    }
    const wrong = name === 'botToken' ? 'xoxb-wrong-token' : 'xapp-wrong-token'
    const slack = createSlack({
      ...given,
      [name]: wrong,
      door: rig.world.door,
      chat: { ...rig.process().chat, attach: nothing },
      log: log as never,
      publicUrl: 'https://dcm.example',
      apiUrl: rig.standIn.apiUrl,
      authorizeUrl: rig.standIn.authorizeUrl,
    })
    await slack.start()
    expect(slack.problems).toEqual([
      expect.stringContaining(name === 'botToken' ? 'SLACK_BOT_TOKEN is wrong' : 'SLACK_APP_TOKEN is wrong'),
    ])
    await slack.stop()
  })
})

test('Socket Mode: after Slack has renewed the link or cut it, commands come through again and none is doubled', async () => {
  await using socket = await createSlackRig('socket')
  const kim = await socket.rig.member('kim')
  expect((await kim.someone.type('whoami')).text).toContain('You are kim')
  for (const end of ['refresh', 'dropSockets'] as const) {
    const old = [...socket.standIn.sockets]
    socket.standIn[end]()
    await until(() => [...socket.standIn.sockets].find((one) => !old.includes(one)))
    expect((await kim.someone.type('whoami')).text).toContain('You are kim')
  }
  expect(socket.standIn.violations).toEqual([])
})
