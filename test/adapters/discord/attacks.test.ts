import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { hostile } from '../../contracts/chat.ts'
import { createDiscordRig, type DiscordRig, labelsOf, textOf } from './setup.ts'
import { until } from '../../setup/until.ts'

let rig: DiscordRig
let ada: Awaited<ReturnType<DiscordRig['member']>>
beforeAll(async () => {
  rig = await createDiscordRig('http', { limit: true })
  ada = await rig.member('ada')
})
afterAll(() => rig[Symbol.asyncDispose]())
afterEach(() => {
  rig.discord.healed()
  expect(rig.discord.violations.splice(0)).toEqual([])
})

const stored = async () => (await rig.world.rows('select id from outbox')).length
const creates = () => rig.world.host.fake.calls.filter((call) => call.method === 'engine.create').length
const interactions = (method: string, path: string) => method === 'PATCH' && path.startsWith('/webhooks/')

describe('G08: what Discord did not sign, now, is refused and leaves nothing', () => {
  type Forge = { headers?: Record<string, string>; timestamp?: string; sent?: string }
  const seconds = (off: number) => String(Math.floor(Date.now() / 1000) + off)
  test.each<[string, number, Forge]>([
    ['with a signature of nothing', 401, { headers: { 'x-signature-ed25519': '0'.repeat(128) } }],
    ['without a signature', 401, { headers: { 'x-signature-ed25519': '' } }],
    ['with half a signature', 401, { headers: { 'x-signature-ed25519': 'ab'.repeat(32) } }],
    ['with a signature that is no hex', 401, { headers: { 'x-signature-ed25519': 'zz'.repeat(64) } }],
    ['stale', 401, { timestamp: seconds(-301) }],
    ['from the future', 401, { timestamp: seconds(330) }],
    ['with a time that is none', 401, { timestamp: 'NaN' }],
    ['with a time in exponents', 401, { timestamp: '1e10' }],
    ['with another time than was signed', 401, { headers: { 'x-signature-timestamp': seconds(60) } }],
    ['with another body than was signed', 401, { sent: '{"type":1}' }],
  ])('%s', async (_, status, forge) => {
    const before = [await stored(), creates()]
    const { payload } = ada.account.payload('dcm', { line: 'create forged --image debian' })
    expect((await rig.discord.signed(payload, forge)).status).toBe(status)
    await sleep(30)
    expect([await stored(), creates()]).toEqual(before)
  })

  test.each<[string, number, string]>([
    ['no JSON', 400, '{"type":'],
    ['null', 400, 'null'],
    ['an interaction without an id', 400, '{"type":2,"token":"x"}'],
    ['another application', 400, '{"type":2,"token":"x","id":"12345","application_id":"99999"}'],
    ['more than it may be', 413, JSON.stringify({ type: 2, pad: 'x'.repeat(300_000) })],
  ])('signed, but %s', async (_, status, body) => {
    const before = await stored()
    expect((await rig.discord.signed(body)).status).toBe(status)
    expect(await stored()).toBe(before)
  })

  test('replayed, word for word: refused, and carried out once', async () => {
    const before = creates()
    const made = ada.account.payload('dcm', { line: 'create replayed --image debian' })
    const timestamp = seconds(0)
    expect((await rig.discord.signed(made.payload, { timestamp })).status).toBe(200)
    expect((await rig.discord.signed(made.payload, { timestamp })).status).toBe(409)
    expect((await rig.discord.signed(made.payload)).status).toBe(409)
    await until('one effect', () => creates() > before)
    await rig.quiet()
    expect(creates()).toBe(before + 1)
  })

  test('a ping is answered, signed right', async () => {
    const pong = await rig.discord.signed({ type: 1 })
    expect([pong.status, await pong.json()]).toEqual([200, { type: 1 }])
    expect(
      (await rig.discord.signed({ type: 1 }, { headers: { 'x-signature-ed25519': 'f'.repeat(128) } })).status,
    ).toBe(401)
  })
})

test('G03: while the engine hangs everything is acknowledged in time, and the results come later, in the right place', async () => {
  const free = rig.world.host.fake.hold('engine.start')
  const got = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      ada.account.slash('create', { name: `slow${n}`, image: 'debian' }, n % 2 ? rig.channel : 'dm'),
    ),
  )
  expect(got.filter((one) => one.failed)).toEqual([])
  const asked = await ada.account.slash('whoami')
  await until('whoami while others wait', () => /You are ada/.test(textOf(asked.message()!)))
  free()
  await until('all of them', () => got.every((one) => /is running/.test(textOf(one.message()!))), 30_000)
  for (const [n, one] of got.entries())
    expect(one.message()).toMatchObject({
      channel: n % 2 ? rig.home.channel.id : expect.not.stringMatching(rig.home.channel.id),
      only: n % 2 ? ada.account.id : null,
    })
  await rig.world.say(ada.person, `rm -f ${got.map((_, n) => `slow${n}`).join(' ')}`)
})

test('G04: a stranger gets how to link for every command there is, and nothing else: no form, no completion', async () => {
  const eve = rig.discord.person('eve', [rig.home])
  const answers = new Set<string>()
  for (const one of rig.discord.state.commands) {
    if (['dcm', 'link', 'join'].includes(String(one['name']))) continue
    const options = (one['options'] ?? []) as {
      name: string
      type: number
      required?: boolean
      options?: { name: string; type: number; required?: boolean }[]
    }[]
    const group = options[0]?.type === 1 ? options[0] : undefined
    const values = Object.fromEntries(
      ((group ? group.options : options) ?? [])
        .filter((option) => option.required)
        .map((option) => [option.name, option.type === 4 ? 1 : option.type === 6 ? ada.account.id : 'on']),
    )
    const shown = await eve
      .slash(`${String(one['name'])}${group ? ` ${group.name}` : ''}`, values)
      .catch(() => undefined)
    if (!shown) continue
    expect(shown.modal).toBeUndefined()
    await until(`an answer to ${String(one['name'])}`, () => !shown.message()!.thinking)
    answers.add(textOf(shown.message()!))
  }
  expect(answers.size).toBe(1)
  expect([...answers][0]).toContain('type link for a code')
  expect([...answers][0]).not.toMatch(/ada|debian|container/)
  expect(await eve.complete('inspect', { container: '' }, 'container')).toEqual([])
  expect(await eve.complete('dcm', { line: 'create x --image ' }, 'line')).toEqual([])
})

test('G07: another one pressing a button runs it with their own rights, or is refused', async () => {
  const bob = await rig.member('bob')
  const answer = await rig.last(ada.account, () => ada.account.slash('create', { name: 'hers', image: 'debian' }, 'dm'))
  // Somebody with a client of their own, who has learnt the id.
  const [stop] = answer.components
    .flatMap((row) => row['components'] as { label: string; custom_id: string }[])
    .filter((one) => one.label === 'Stop')
  const shown = await rig.last(bob.account, () =>
    bob.account.forge({ ...answer, channel: rig.home.channel.id }, stop!.custom_id),
  )
  expect(textOf(shown)).toContain('You have no container called hers')
  await rig.last(ada.account, () => ada.account.press(answer, 'Stop'))
  const asked = await rig.last(ada.account, () => ada.account.slash('rm', { container: 'hers' }))
  const [confirm] = asked.components.flatMap((row) => row['components'] as { label: string; custom_id: string }[])
  const refused = await rig.last(bob.account, () => bob.account.forge(asked, confirm!.custom_id))
  expect(refused.only).toBe(bob.account.id)
  expect(textOf(refused)).toContain('for whoever asked')
  expect(await rig.world.store.containers.byName(ada.person.id, 'hers')).toBeDefined()
  expect(textOf(asked)).toContain('Remove hers')
  const rows = await rig.world.store.audit.read({ name: 'bob', limit: 5 })
  expect(rows.map((row) => [row.actor, row.decision])).toEqual(rows.map(() => ['bob', 'refused']))
})

describe('G09: one person in every place', () => {
  test('in the server and in direct messages it is the same member; elsewhere nobody', async () => {
    const other = rig.discord.guild('other')
    other.guild.members.add(ada.account.id)
    for (const where of [rig.channel, 'dm'] as const)
      expect(textOf(await rig.last(ada.account, () => ada.account.slash('whoami', {}, where)))).toContain('You are ada')
    const before = await stored()
    expect(textOf((await ada.account.slash('whoami', {}, other)).message()!)).toContain('not for this server')
    expect(textOf((await ada.account.slash('whoami', {}, 'dm', { '1': ada.account.id })).message()!)).toContain(
      'added to a server',
    )
    expect(textOf((await ada.account.slash('whoami', {}, rig.channel, { '1': ada.account.id })).message()!)).toContain(
      'added to a server',
    )
    await expect(ada.account.slash('whoami', {}, 'group')).rejects.toThrow('not offered there')
    ada.account.say(`<@${rig.discord.state.botId}> whoami`, other)
    await sleep(50)
    expect(await stored()).toBe(before)
  })

  test('bots, webhooks and what Discord itself says are not heard', async () => {
    const robot = rig.discord.person('robot', [rig.home], true)
    const before = await stored()
    const mention = `<@${rig.discord.state.botId}> whoami`
    robot.say(mention)
    ada.account.say(mention, rig.channel, { webhook_id: '123456' })
    ada.account.say(mention, rig.channel, { type: 7 })
    ada.account.say('whoami', rig.channel)
    expect(textOf((await robot.slash('whoami')).message()!)).toContain('from people only')
    await sleep(50)
    expect(await stored()).toBe(before)
  })
})

describe('G10: who has left the server is refused', () => {
  test('commands, old buttons and completions in direct messages, at once; and is unlinked', async () => {
    const eve = await rig.member('eve')
    const made = await rig.last(eve.account, () =>
      eve.account.slash('dcm', { line: 'create left --image debian' }, 'dm'),
    )
    expect(labelsOf(made)).toContain('Stop')
    const calls = rig.world.host.fake.calls.length
    rig.home.guild.members.delete(eve.account.id)
    // What was known a moment ago may hold for a minute, and no longer.
    await rig.restart()
    expect(textOf(await rig.last(eve.account, () => eve.account.press(made, 'Stop')))).toContain(
      'you are not one any more',
    )
    expect(textOf(await rig.last(eve.account, () => eve.account.slash('ps', {}, 'dm')))).toContain(
      'you are not one any more',
    )
    expect(await eve.account.complete('inspect', { container: '' }, 'container', 'dm')).toEqual([])
    expect(rig.world.host.fake.calls.length).toBe(calls)
    rig.home.guild.members.add(eve.account.id)
    expect(textOf(await rig.last(eve.account, () => eve.account.slash('ps', {}, rig.channel)))).toContain(
      'type link for a code',
    )
  })

  test('while Discord does not say, nothing is done', async () => {
    const kim = await rig.member('kim')
    rig.discord.trouble({ when: (method) => method === 'GET', how: { status: 500 } })
    expect(
      textOf(
        await rig.last(kim.account, () => kim.account.slash('dcm', { line: 'create never --image debian' }, 'dm')),
      ),
    ).toContain('nothing was done')
    rig.discord.healed()
    expect(await rig.world.store.containers.byName(kim.person.id, 'never')).toBeUndefined()
    expect(textOf(await rig.last(kim.account, () => kim.account.slash('whoami', {}, 'dm')))).toContain('You are kim')
  })
})

test('G11: secrets, ports and keys are told to the asker alone, whatever is used and wherever', async () => {
  await rig.quiet()
  const boss = await rig.member('boss', 'admin')
  const before = new Set(rig.discord.state.messages.keys())
  const key = `ssh-ed25519 ${Buffer.from(`\0\0\0\x0bssh-ed25519\0\0\0 ${'k'.repeat(32)}`, 'latin1').toString('base64')}`
  const lines = [
    'create private --image debian -p 80',
    'ssh private',
    'ps',
    'inspect private',
    'token new hidden',
    'key ls',
    'link',
    'create private2 --image debian --post',
  ]
  for (const line of lines) await ada.account.slash('dcm', { line })
  await rig.quiet()
  const direct = ada.account.directs().length
  const mentions = ['ssh private', 'token new hidden2', 'ps', 'key ls', `key add ${key}`]
  for (const line of mentions) ada.account.say(`<@${rig.discord.state.botId}> ${line}`)
  await boss.account.slash('dcm', { line: 'user show ada' })
  await until('every answer', () => ada.account.directs().length >= direct + mentions.length)
  await rig.quiet()
  const fresh = [...rig.discord.state.messages.values()].filter(
    (one) => !before.has(one.id) && one.author === rig.discord.state.botId,
  )
  expect(fresh.length).toBeGreaterThanOrEqual(16)
  const open = fresh.filter((one) => one.only === null && one.channel === rig.home.channel.id)
  expect(open.filter((one) => !textOf(one).includes('direct messages')).map(textOf)).toEqual([
    'ada used create private2.',
  ])
  for (const one of open) expect(JSON.stringify(one)).not.toMatch(/ssh -p|dcm_|SHA256|127\.0\.0\.1|dcm\.example/)
  // What a notification shows is the content, which holds nothing.
  for (const one of fresh) expect(one.content).toBe('')
  expect(JSON.stringify(rig.said)).not.toMatch(/dcm_[0-9A-Za-z]{32}|stand\.in|ssh -p 2|token[0-9a-f]{32}/)
})

describe('G12: Discord fails', () => {
  test('429: nothing is tried before Retry-After, the work is done, and the answer comes once', async () => {
    await rig.world.say(ada.person, 'create patient --image debian')
    rig.discord.trouble({
      when: interactions,
      times: 1,
      how: {
        status: 429,
        body: { message: 'You are being rate limited.', retry_after: 1.2, global: false },
        headers: { 'retry-after': '1.2', 'x-ratelimit-scope': 'user' },
      },
    })
    const asked = await ada.account.slash('dcm', { line: 'note patient "comes later"' })
    await until('a refusal', () => rig.discord.asked.some((one) => one.status === 429))
    expect((await rig.world.store.containers.byName(ada.person.id, 'patient'))?.note).toBe('comes later')
    expect(asked.message()!.thinking).toBe(true)
    await rig.quiet()
    expect(textOf(asked.message()!)).toContain('Noted for patient')
    expect(asked.message()!.edits).toBe(1)
    expect(textOf(asked.message()!)).not.toContain('seen this before')
  })

  test.each([
    ['a 500', { status: 500 }],
    ['a 502 with a page', { status: 502, headers: { 'content-type': 'text/html' } }],
    ['a reset', 'reset' as const],
    ['a reset after it was done', 'reset after' as const],
  ])('%s: tried again, and shown once', async (_, how) => {
    rig.discord.trouble({ when: interactions, times: 1, how })
    const asked = await ada.account.slash('dcm', { line: 'whoami' })
    await rig.quiet()
    expect(textOf(asked.message()!)).toContain('You are ada')
  })

  test('a direct message whose answer is lost is there once', async () => {
    rig.discord.trouble({
      when: (method, path) => method === 'POST' && /^\/channels\/\d+\/messages$/.test(path),
      times: 1,
      how: 'reset after',
    })
    await rig.quiet()
    const before = ada.account.directs().length
    ada.account.say('whoami', 'dm')
    await until('the answer', () => ada.account.directs().length > before)
    await rig.quiet()
    expect(ada.account.directs().slice(before).map(textOf)).toEqual([expect.stringContaining('You are ada')])
  })

  test('past fifteen minutes the result comes as a direct message', async () => {
    const free = rig.world.host.fake.hold('engine.start')
    const asked = await ada.account.slash('create', { name: 'lengthy', image: 'debian' })
    const before = ada.account.directs().length
    rig.discord.later(16 * 60_000)
    free()
    await until('a direct message', () => ada.account.directs().length > before)
    asked.message()!.deleted = true
    await rig.quiet()
    expect(ada.account.directs().slice(before).map(textOf)).toEqual([expect.stringContaining('lengthy is running')])
    rig.discord.later(-16 * 60_000)
  })

  test('an answer that its reader has closed comes as a direct message', async () => {
    const free = rig.world.host.fake.hold('engine.start')
    const asked = await ada.account.slash('create', { name: 'closed', image: 'debian' })
    const before = ada.account.directs().length
    ada.account.dismiss(asked.message()!)
    free()
    await until('a direct message', () => ada.account.directs().length > before)
    expect(textOf(ada.account.directs().at(-1)!)).toContain('closed is running')
  })

  test('one 401 does not lose the token, and is said in the log', async () => {
    rig.discord.trouble({
      when: (method, path) => method === 'POST' && path === '/users/@me/channels',
      times: 1,
      how: { status: 401, body: { message: '401: Unauthorized', code: 0 } },
    })
    const lou = await rig.member('lou')
    rig.home.guild.members.add(lou.account.id)
    lou.account.say(`<@${rig.discord.state.botId}> ps`)
    await until('a word in the log', () =>
      rig.said.some((one) => one.level === 'error' && one.message.includes('DISCORD_TOKEN')),
    )
    await rig.world.sql(`update outbox set next_at = now() where status = 'owed'`)
    expect(textOf(await rig.last(ada.account, () => ada.account.say('whoami', 'dm')))).toContain('You are ada')
  })
})

test('I02: names that ping, link and mark up are shown letter by letter', async () => {
  const before = rig.discord.refused().length
  for (const line of [
    `inspect '${hostile.slice(0, 55)}'`,
    `nonsense-${hostile.replace(/ /g, '')}`,
    `help '${hostile.slice(0, 40)}'`,
  ]) {
    const shown = await rig.last(ada.account, () => ada.account.slash('dcm', { line }))
    const raw = shown.embeds.map((embed) => String(embed['description'])).join('\n')
    expect(raw.replace(/\\[^\w\s]/g, '').replace(/`[^`]*`/g, '')).not.toMatch(/@everyone|<[@#!]|\[x\]|https?:\/\/|\|\|/)
  }
  expect(rig.discord.refused().length).toBe(before)
  const bodies = rig.discord.written().filter((one) => 'embeds' in one.body)
  expect(bodies.length).toBeGreaterThan(10)
  for (const one of bodies) expect(one.body['allowed_mentions']).toEqual({ parse: [] })
})

test('what cannot be stored is said to have been left undone', async () => {
  const tx = rig.world.store.tx
  const asked = await (async () => {
    ;(rig.world.store as { tx: unknown }).tx = () => Promise.reject(new Error('the database is away'))
    try {
      const shown = await ada.account.slash('dcm', { line: 'create undone --image debian' })
      await until('a refusal', () => !shown.message()!.thinking)
      return shown
    } finally {
      ;(rig.world.store as { tx: unknown }).tx = tx
    }
  })()
  expect(textOf(asked.message()!)).toContain('nothing was done')
  await rig.quiet()
  expect(await rig.world.store.containers.byName(ada.person.id, 'undone')).toBeUndefined()
})
