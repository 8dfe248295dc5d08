import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createDiscord, type DiscordOptions } from '../../../src/adapters/discord/index.ts'
import { createLinks } from '../../../src/core/people/links.ts'
import { publicKey } from '../../core/door/world.ts'
import { createDiscordRig, type DiscordRig, labelsOf, textOf } from './setup.ts'
import { until } from '../../setup/until.ts'

let rig: DiscordRig
let ada: Awaited<ReturnType<DiscordRig['member']>>
beforeAll(async () => {
  rig = await createDiscordRig('gateway')
  ada = await rig.member('ada')
})
afterAll(() => rig[Symbol.asyncDispose]())
afterEach(() => {
  rig.discord.healed()
  expect(rig.discord.violations.splice(0)).toEqual([])
})

const self = () => `<@${rig.discord.state.botId}>`

describe('commands with options', () => {
  test('take what was chosen as it is, and lists in one', async () => {
    const made = await rig.last(ada.account, () =>
      ada.account.slash('create', { name: 'typed', image: 'debian', publish: '80 81', cpus: 0.5, 'pids-limit': 64 }),
    )
    expect(textOf(made)).toContain('typed is running')
    expect(await rig.world.store.containers.byName(ada.person.id, 'typed')).toMatchObject({
      limits: { cpus: 500, pids: 64 },
    })
    expect(made.only).toBe(ada.account.id)
  })

  test('a person is picked from the people of the server', async () => {
    const boss = await rig.member('boss', 'admin')
    const carol = rig.discord.person('carol', [rig.home])
    await rig.world.member('carol')
    expect(
      textOf(
        await rig.last(boss.account, () => boss.account.slash('user link', { member: 'carol', account: carol.id })),
      ),
    ).toContain(carol.id)
    expect(textOf(await rig.last(carol, () => carol.slash('whoami', {}, 'dm')))).toContain('You are carol')
  })

  test('completion offers what the asker may use, in lists for the last of them, and no more than 25', async () => {
    for (const name of ['alpha', 'beta']) await rig.world.say(ada.person, `create ${name} --image debian`)
    await rig.world.say(await rig.world.member('other'), 'create alphabet --image debian')
    expect(await ada.account.complete('inspect', { container: 'al' }, 'container')).toEqual(['alpha'])
    expect(await ada.account.complete('rm', { container: 'alpha be' }, 'container')).toEqual(['alpha beta'])
    expect(await ada.account.complete('create', { name: 'x', image: 'd' }, 'image')).toEqual(['debian'])
    expect(await ada.account.complete('dcm', { line: 'inspect al' }, 'line')).toEqual(['inspect alpha'])
    expect((await ada.account.complete('help', { command: '' }, 'command')).length).toBeLessThanOrEqual(25)
  })

  test('--post is an option: the channel hears one harmless sentence', async () => {
    const before = rig.discord.state.messages.size
    await ada.account.slash('pause', { container: 'alpha', post: true })
    const open = await until('a word in the channel', () =>
      [...rig.discord.state.messages.values()]
        .slice(before)
        .find((one) => one.only === null && one.channel === rig.home.channel.id),
    )
    expect(textOf(open)).toBe('ada used pause alpha.')
  })
})

describe('confirmations', () => {
  test('a red button and a way out; the answer takes the place of the question', async () => {
    await rig.world.say(ada.person, 'create gone --image debian')
    await rig.world.say(ada.person, 'stop gone')
    const first = await rig.last(ada.account, () => ada.account.slash('rm', { container: 'gone' }))
    expect(labelsOf(first)).toEqual(['Confirm', 'Cancel'])
    const cancelled = await rig.last(ada.account, () => ada.account.press(first, 'Cancel'))
    expect(cancelled.id).toBe(first.id)
    expect(textOf(cancelled)).toContain('Nothing was done')
    const second = await rig.last(ada.account, () => ada.account.slash('rm', { container: 'gone' }))
    const done = await rig.last(ada.account, () => ada.account.press(second, 'Confirm'))
    expect(done.id).toBe(second.id)
    expect(textOf(done)).toContain('gone is removed')
    expect(labelsOf(done)).toEqual([])
  })

  test('they expire', async () => {
    await rig.world.say(ada.person, 'create old --image debian')
    await rig.world.say(ada.person, 'stop old')
    const asked = await rig.last(ada.account, () => ada.account.slash('rm', { container: 'old' }))
    await rig.world.sql(`update buttons set expires_at = now() - interval '1 second'`)
    expect(textOf(await rig.last(ada.account, () => ada.account.press(asked, 'Confirm')))).toContain('too old')
    expect(await rig.world.store.containers.byName(ada.person.id, 'old')).toBeDefined()
  })

  test('a button that destroys asks first, and twice is harmless', async () => {
    await rig.process().chat.say(
      'discord',
      { kind: 'user', scope: 'users', user: ada.account.id },
      {
        text: 'old is not used.',
        tone: 'warn',
        actions: [{ label: 'Remove it', line: 'rm old --yes', danger: true }],
      },
    )
    const notice = await until('a notice', () =>
      ada.account.directs().find((one) => textOf(one).includes('old is not used')),
    )
    const asked = (await ada.account.press(notice, 'Remove it')).message()!
    expect([textOf(asked), labelsOf(asked)]).toEqual([expect.stringContaining('Remove it'), ['Remove it', 'Cancel']])
    expect(await rig.world.store.containers.byName(ada.person.id, 'old')).toBeDefined()
    const cancelled = (await ada.account.press(asked, 'Cancel')).message()!
    expect([textOf(cancelled), labelsOf(cancelled)]).toEqual(['Nothing was done.', []])
  })
})

test('pages are turned in place, by buttons and by the menu; nothing is run again', async () => {
  for (let n = 0; n < 25; n++) await rig.world.say(ada.person, `token new t${n} --for 1d`)
  const first = await rig.last(ada.account, () => ada.account.slash('token ls'))
  expect([textOf(first), labelsOf(first)]).toEqual([expect.stringContaining('Page 1 of 3'), ['More ▶']])
  const asked = rig.world.host.fake.calls.length
  const second = await rig.last(ada.account, () => ada.account.press(first, 'More ▶'))
  expect([second.id, labelsOf(second)]).toEqual([first.id, ['◀ Back', 'More ▶']])
  expect(textOf(await rig.last(ada.account, () => ada.account.choose(second, '2')))).toContain('Page 3 of 3')
  expect(rig.world.host.fake.calls.length).toBe(asked)
})

describe('forms', () => {
  test('create without anything opens one with the images to choose from', async () => {
    for (const open of [() => ada.account.slash('create'), () => ada.account.slash('dcm', { line: 'create' })]) {
      const shown = await open()
      const image = (
        shown.modal!['components'] as { component: { custom_id: string; type: number; options: { value: string }[] } }[]
      )
        .map((one) => one.component)
        .find((one) => one.custom_id === 'image')
      expect(image).toMatchObject({
        type: 3,
        options: expect.arrayContaining([expect.objectContaining({ value: 'debian' })]),
      })
    }
    const shown = await ada.account.slash('create', { name: 'formed' })
    const made = await rig.last(ada.account, () =>
      ada.account.submit(shown, { image: 'debian', '+': '--memory 256m -- sh -c "sleep 9"' }),
    )
    expect(textOf(made)).toContain('formed is running')
    expect(await rig.world.store.containers.byName(ada.person.id, 'formed')).toMatchObject({
      limits: { memory: 256 * 2 ** 20 },
      spec: { command: ['sh', '-c', 'sleep 9'] },
    })
  })

  test('what is wrong is said for each field, nothing is done, and the form can be had again', async () => {
    const shown = await ada.account.slash('create')
    const wrong = await rig.last(ada.account, () =>
      ada.account.submit(shown, { name: 'NO NAME', image: 'debian', publish: '99999' }),
    )
    expect(textOf(wrong)).toMatch(/name: [\s\S]*publish: /)
    const again = await ada.account.press(wrong, 'Fill in a form')
    expect(again.modal).toBeDefined()
  })

  test('a key is added through one, and a private key is refused', async () => {
    const key = publicKey('ada@form')
    const done = await rig.last(ada.account, async () =>
      ada.account.submit(await ada.account.slash('key add'), { key }),
    )
    expect([textOf(done), done.only]).toEqual([expect.stringContaining('opens your containers'), ada.account.id])
    const refused = await rig.last(ada.account, async () =>
      ada.account.submit(await ada.account.slash('key add'), { key: '-----BEGIN OPENSSH PRIVATE KEY-----\nabc' }),
    )
    expect(textOf(refused)).not.toContain('opens your containers')
    expect(textOf(refused)).not.toContain('abc')
  })

  test('a form that cannot be had in time is no obstacle: the call is made and says what is missing', async () => {
    const { identities } = rig.world.store
    const real = identities.person
    let calls = 0
    identities.person = (key) => (++calls === 1 ? new Promise(() => undefined) : real(key))
    try {
      const shown = await ada.account.slash('create')
      expect(shown.failed).toBe(false)
      // Without knowing who asks, the form has no choices but is there.
      expect(shown.modal).toBeDefined()
    } finally {
      identities.person = real
    }
  })
})

describe('what is typed to the bot', () => {
  test('a direct message is one message that ends as the result', async () => {
    const before = ada.account.directs().length
    expect(textOf(await rig.last(ada.account, () => ada.account.say('ssh alpha', 'dm')))).toMatch(/ssh -p 20\d+/)
    await rig.quiet()
    expect(ada.account.directs().length).toBe(before + 1)
  })

  test('progress is told on the message that becomes the result', async () => {
    const free = rig.world.host.fake.hold('engine.start')
    const before = ada.account.directs().length
    ada.account.say('create slowly --image debian', 'dm')
    const told = await until('progress', () => ada.account.directs().slice(before)[0])
    expect(String(told.embeds[0]?.['description'])).toContain('⏳')
    free()
    await until('the result', () => textOf(told).includes('slowly is running'))
    expect(ada.account.directs().length).toBe(before + 1)
  })

  test('by its name in a channel: help is answered there, what is private directly, with a word about it', async () => {
    const shown = await rig.last(ada.account, () => ada.account.say(`${self()} help`))
    expect([shown.channel, textOf(shown)]).toEqual([
      rig.home.channel.id,
      expect.stringContaining('These are the commands'),
    ])
    const before = ada.account.directs().length
    const typed = ada.account.say(`${self()} ps`)
    await until('a direct message', () => ada.account.directs().length > before)
    const note = await until('a word in the channel', () =>
      [...rig.discord.state.messages.values()].find((one) => one.repliesTo === typed.id),
    )
    expect(textOf(note)).toContain('direct messages')
    expect(textOf(ada.account.directs().at(-1)!)).toContain('You have')
  })

  test('a mistyped line gets the nearest command, and nothing at all gets help', async () => {
    expect(textOf(await rig.last(ada.account, () => ada.account.say(`${self()} crate web`)))).toContain(
      'did you mean create',
    )
    expect(textOf(await rig.last(ada.account, () => ada.account.say(self())))).toContain('These are the commands')
  })

  test('what comes twice is done once', async () => {
    const creates = () => rig.world.host.fake.calls.filter((call) => call.method === 'engine.create').length
    const before = creates()
    const made = ada.account.payload('dcm', { line: 'create twice --image debian' })
    await ada.account.resend(made)
    await ada.account.resend(made)
    await rig.quiet()
    await sleep(50)
    await rig.quiet()
    expect(creates()).toBe(before + 1)
  })
})

test('requests: a card with buttons goes to an admin, who decides; the card says who and when', async () => {
  const chief = await rig.member('chief', 'admin')
  await rig.world.sql(`update identities set used_at = now() where user_id = '${chief.account.id}'`)
  await ada.account.slash('request', { thing: 'port:443', for: '4h', why: 'a demo' })
  const card = await until('a card', () => chief.account.directs().find((one) => textOf(one).includes('port:443')))
  expect(labelsOf(card)).toEqual(['Approve for 4 h', 'Approve for 1 d', 'Deny'])
  await rig.last(chief.account, () => chief.account.press(card, 'Approve for 4 h'))
  await until('the card to say so', () => /Approved by chief/.test(textOf(card)) && labelsOf(card).length === 0)
  await until('the asker to hear', () =>
    ada.account.directs().some((one) => textOf(one).includes('granted you port:443')),
  )
})

describe('open sign-up', () => {
  test('goes by the server, though accounts are keyed by the user alone', () => {
    const links = createLinks({
      store: rig.world.store,
      random: rig.world.works.random,
      signup: { mode: 'open', platform: 'discord', scope: '111' },
    })
    const who = { platform: 'discord', scope: 'users', user: '222', label: 'x' }
    expect([
      links.signup({ ...who, within: '111' }),
      links.signup({ ...who, within: '333' }),
      links.signup(who),
    ]).toEqual(['open', 'off', 'off'])
  })
})

describe('registration', () => {
  const puts = () => rig.discord.asked.filter((one) => one.method === 'PUT').length

  test('nothing is written when nothing has changed; a change is, and what is not ours stays', async () => {
    const before = puts()
    await rig.restart()
    expect(puts()).toBe(before)
    rig.discord.state.commands[3] = { ...rig.discord.state.commands[3], description: 'somebody changed it' }
    rig.discord.state.commands.push({ name: 'launch', type: 4, description: 'An activity.', id: '1' })
    await rig.restart()
    expect(puts()).toBe(before + 1)
    expect(rig.discord.state.commands.map((one) => one['description'])).not.toContain('somebody changed it')
    expect(rig.discord.state.commands.map((one) => one['name'])).toContain('launch')
    await rig.restart()
    expect(puts()).toBe(before + 1)
  })
})

describe('the connection', () => {
  test('asks for no privileged intent, and for nothing that it does not use', () => {
    // A privileged one would have been refused with 4014.
    expect(rig.discord.gateway.counts.identified).toBeGreaterThan(0)
    expect(rig.process().adapter.problems()).toEqual([])
  })

  test.each(['drop', 'reconnect'] as const)(
    '%s: it is resumed, and a command that was sent meanwhile is carried out',
    async (how) => {
      const before = rig.discord.gateway.counts.resumed
      rig.discord.gateway[how]()
      if (how === 'drop') await until('the end', () => !rig.discord.gateway.connected())
      const shown = await ada.account.slash('whoami')
      expect(shown.failed).toBe(false)
      await until('an answer', () => /You are ada/.test(textOf(shown.message()!)))
      await until('a resume', () => rig.discord.gateway.counts.resumed === before + 1)
    },
  )

  test('a command that is heard of too late is left undone, for Discord has said that it failed', async () => {
    const made = ada.account.payload('dcm', { line: 'create late --image debian' })
    rig.discord.later(3500)
    await ada.account.resend(made)
    await until('a word in the log', () => rig.said.some((one) => one.message.includes('came too late')))
    expect(await rig.world.store.containers.byName(ada.person.id, 'late')).toBeUndefined()
  })

  test('a session that is over is begun anew', async () => {
    const before = rig.discord.gateway.counts.identified
    rig.discord.gateway.invalidate()
    await until(
      'a new session',
      () => rig.discord.gateway.counts.identified > before && rig.discord.gateway.connected(),
    )
    expect(textOf(await rig.last(ada.account, () => ada.account.slash('whoami')))).toContain('You are ada')
  })

  test('a lost acknowledgement is sent again, and the command is done once', async () => {
    const creates = () => rig.world.host.fake.calls.filter((call) => call.method === 'engine.create').length
    const before = creates()
    rig.discord.trouble({ when: (_, path) => path.endsWith('/callback'), times: 1, how: { status: 502, after: true } })
    const shown = await ada.account.slash('dcm', { line: 'create acked --image debian' })
    await until('an answer', () => /acked is running/.test(textOf(shown.message()!)))
    expect(creates()).toBe(before + 1)
  })
})

describe('configuration', () => {
  /** Another adapter over the same core, whose answers the rig's own one sends. */
  function other(over: Partial<DiscordOptions>) {
    const { door, chat } = rig.process()
    const said: unknown[] = []
    const keep = (facts: Record<string, unknown>, message: string) => void said.push([facts, message])
    const log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log }
    const adapter = createDiscord({
      door,
      chat: { ...chat, attach: () => undefined },
      log,
      token: rig.discord.token,
      applicationId: undefined,
      publicKey: undefined,
      guilds: undefined,
      apiUrl: rig.discord.api,
      ...over,
    })
    return { adapter, said, [Symbol.asyncDispose]: () => adapter.stop() }
  }

  test('a wrong token is said by its name, and the rest serves', async () => {
    await using wrong = other({ token: 'MTIzNDU2.wrong.token' })
    wrong.adapter.start()
    await until('a problem', () => wrong.adapter.problems().some((one) => one.startsWith('DISCORD_TOKEN is wrong')))
    expect((await rig.world.say(rig.world.admin, 'whoami')).error).toBeUndefined()
    expect(JSON.stringify(wrong.said)).not.toContain('wrong.token')
  })

  test('missing and malformed parts are said by their names', async () => {
    await using bad = other({ publicKey: 'not a key' })
    expect(bad.adapter.problems()).toEqual([expect.stringContaining('DISCORD_PUBLIC_KEY is not a public key')])
    expect(
      (await bad.adapter.fetch(new Request('http://x/discord/interactions', { method: 'POST', body: '{}' }))).status,
    ).toBe(404)
  })

  test('signed requests are answered without a token too', async () => {
    await using part = other({ token: undefined, publicKey: rig.discord.publicKey })
    part.adapter.start()
    expect(part.adapter.problems()).toEqual([expect.stringContaining('DISCORD_TOKEN is missing')])
    await rig.discord.endpoint((request) => part.adapter.fetch(request))
    const shown = await ada.account.slash('whoami')
    await until('an answer', () => /You are ada/.test(textOf(shown.message()!)))
    await rig.discord.endpoint(undefined)
  })
})
