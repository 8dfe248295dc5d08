import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { usage } from '../../../src/core/command/help.ts'
import { createRoom, type Room } from './room.ts'

let room: Room
beforeAll(async () => {
  room = await createRoom()
})
afterAll(() => room[Symbol.asyncDispose]())
beforeEach(() => room.sql('delete from identities; ').then(() => room.sql('delete from guesses')))

const codeOf = (data: unknown) => (data as { code: string }).code

describe('G04: somebody whom DCM does not know', () => {
  test('gets how to link for every command, and nothing else', async () => {
    const stranger = room.visitor('U0STRANGER')
    await room.linked('ada', 'UADA')
    const lines = [
      ...commands.filter((command) => !command.strangers).map((command) => usage(command)),
      '',
      'nonsense',
      'crate web',
      'rm web',
      'help',
      'link --as ada',
    ]
    const answers = new Set<string>()
    for (const line of lines) answers.add(JSON.stringify({ ...(await room.type(stranger, line)).reply }))
    for (const answer of answers) {
      expect(answer).toContain('type link for a code')
      expect(answer).not.toMatch(/ada|debian|container/)
    }
    expect(room.host.fake.calls.filter((call) => call.method === 'engine.create')).toEqual([])
  })
})

test('a code from the chat, confirmed on another side, makes the account the member', async () => {
  const bob = await room.member('bob')
  const who = room.visitor('UBOB')
  const shown = await room.type(who, 'link')
  expect(shown.reply).toMatchObject({ private: true, code: expect.stringMatching(/^dcm link /) })
  const reply = await room.say(bob, `link ${codeOf(shown.reply.data)}`)
  expect(reply).toMatchObject({ tone: 'ok', data: { account: 'slack:T1/UBOB', member: 'bob' } })
  expect((await room.type(who, 'whoami')).reply.data).toMatchObject({
    name: 'bob',
    surface: 'slack',
    accounts: ['slack:T1/UBOB'],
  })
  const [row] = await room.store.audit.read({ name: 'bob', limit: 1 })
  expect(row).toMatchObject({ command: 'link', decision: 'done' })
})

describe('G05: the key is platform, workspace and user id', () => {
  test('the same user id in another workspace, and another with the same name, are strangers', async () => {
    const { who } = await room.linked('ada', 'UADA')
    expect((await room.type(who, 'whoami')).reply.error).toBeUndefined()
    for (const other of [room.visitor('UADA', 'T2'), { ...who, user: 'UOTHER' }, { ...who, platform: 'discord' }]) {
      const actor = await room.chat.identify(other)
      expect(actor.person).toBeNull()
    }
  })
})

describe('G06: link codes', () => {
  test('a code works once, and not for two at once', async () => {
    const [bob, eve] = [await room.member('bob'), await room.member('eve')]
    const code = codeOf((await room.type(room.visitor('UX1'), 'link')).reply.data)
    const replies = await Promise.all([room.say(bob, `link ${code}`), room.say(eve, `link ${code}`)])
    expect(new Set(replies.map((reply) => reply.error))).toEqual(new Set(['unlinked', undefined]))
    expect((await room.say(eve, `link ${code}`)).error).toBe('unlinked')
  })

  test('a code is not good after its time', async () => {
    const bob = await room.member('bob')
    const code = codeOf((await room.type(room.visitor('UX2'), 'link')).reply.data)
    await room.sql(`update codes set expires_at = now() - interval '1 second'`)
    expect((await room.say(bob, `link ${code}`)).error).toBe('unlinked')
  })

  test('guesses are limited', async () => {
    const mallory = await room.member('mallory')
    const code = codeOf((await room.type(room.visitor('UX3'), 'link')).reply.data)
    const codes: (string | undefined)[] = []
    for (let n = 0; n < 20; n++)
      codes.push((await room.say(mallory, `link ${code.slice(0, 4)}-0000-0000-0000-${String(1000 + n)}`)).error)
    expect(new Set(codes)).toEqual(new Set(['unlinked', 'limited']))
    expect((await room.say(mallory, `link ${code}`)).error).toBe('limited')
    // It has been tried too often, so it is not good for its rightful owner either.
    expect((await room.say(await room.member('bob'), `link ${code}`)).error).toBe('unlinked')
  })

  test('a code typed on the side that made it, or in any chat, binds nothing', async () => {
    const { who: ada } = await room.linked('ada', 'UADA')
    const eve = room.visitor('UEVE')
    const code = codeOf((await room.type(eve, 'link')).reply.data)
    expect((await room.type(eve, `link ${code}`)).reply.error).toBe('denied')
    expect((await room.type(ada, `link ${code}`)).reply.error).toBe('denied')
    expect((await room.chat.identify(eve)).person).toBeNull()
  })

  test('a token for some things, and a suspended member, confirm nothing', async () => {
    const bob = await room.member('bob')
    const code = codeOf((await room.type(room.visitor('UX5'), 'link')).reply.data)
    await room.refused(bob, `link ${code}`, 'denied', { actor: { scope: { commands: null, containers: ['web'] } } })
    await room.say(room.admin, 'user suspend bob')
    await room.refused(bob, `link ${code}`, 'denied')
    await room.say(room.admin, 'user resume bob')
  })
})

describe('admins', () => {
  test('map a person by mention in the chat, and at once when adding one', async () => {
    const { who: boss } = await room.linked('boss', 'UBOSS', 'admin')
    await room.member('carol')
    expect((await room.type(boss, 'user link carol <@UCAROL|carol.c>')).reply.tone).toBe('ok')
    expect((await room.type(room.visitor('UCAROL'), 'whoami')).reply.data).toMatchObject({ name: 'carol' })
    expect((await room.type(boss, 'user add dave <@UDAVE>')).reply.text).toContain('slack:T1/UDAVE')
    expect((await room.type(room.visitor('UDAVE'), 'whoami')).reply.data).toMatchObject({ name: 'dave' })
    expect((await room.type(boss, 'user link carol @carol')).reply.error).toBe('usage')
    expect((await room.type(boss, 'user link bob <@UCAROL>')).reply.error).toBe('conflict')
  })

  test('G10: an account is cut off at once by an admin, by itself, and by leaving', async () => {
    for (const cut of [
      () => room.say(room.admin, 'user unlink ada'),
      () => room.type(room.visitor('UADA'), 'unlink'),
      () => room.chat.left({ platform: 'slack', scope: 'T1', user: 'UADA' }),
      () => room.chat.cut('slack', 'T1'),
    ]) {
      const { who } = await room.linked('ada', 'UADA')
      expect((await room.type(who, 'whoami')).reply.error).toBeUndefined()
      await cut()
      expect((await room.type(who, 'whoami')).reply.error).toBe('unlinked')
      await room.sql('delete from identities')
    }
    await room.chat.installed('slack', 'T1', 'a token')
  })

  test('user rm takes the links too', async () => {
    await room.member('frank')
    await room.say(room.admin, 'user link frank slack:T1/UFRANK')
    await room.say(room.admin, 'user rm frank --yes')
    expect((await room.chat.identify(room.visitor('UFRANK'))).person).toBeNull()
  })
})

describe('sign-up', () => {
  test('is off unless the configuration says otherwise', async () => {
    expect((await room.type(room.visitor('UNEW'), 'join')).reply.error).toBe('denied')
  })

  test('open for one workspace makes a member of whoever links there, with the default quota, and of nobody elsewhere', async () => {
    await using open = await createRoom({ settings: { signup: { mode: 'open', platform: 'slack', scope: 'T1' } } })
    const who = { ...open.visitor('UNEW'), label: 'Ada Lovelace!' }
    expect((await open.type(who, 'link')).reply.data).toMatchObject({ member: 'ada-lovelace' })
    expect((await open.type(who, 'whoami')).reply.data).toMatchObject({ name: 'ada-lovelace', role: 'member' })
    expect((await open.type({ ...who, user: 'UNEW2' }, 'link')).reply.data).toMatchObject({ member: 'ada-lovelace-2' })
    expect((await open.type({ ...who, scope: 'T2' }, 'link')).reply.data).toMatchObject({ member: null })
  })

  test('by request: admins get a card, and approving makes a member who is told', async () => {
    await using asking = await createRoom({ settings: { signup: { mode: 'request' } } })
    const { who: boss } = await asking.linked('boss', 'UBOSS', 'admin')
    const who = { ...asking.visitor('UNEW'), label: 'Eve' }
    await asking.type(who, 'join "the lab"')
    const card = asking.sent.find((one) => one.address.kind === 'user' && one.address.user === 'UBOSS')!.letter
    expect(card.buttons.map((button) => button.label)).toEqual(['Approve', 'Deny'])
    expect((await asking.act(who, { press: card.buttons[0]!.id })).reply.error).toBe('unlinked')
    expect((await asking.act(boss, { press: card.buttons[0]!.id })).reply.tone).toBe('ok')
    expect((await asking.type(who, 'whoami')).reply.data).toMatchObject({ name: 'eve' })
    expect(asking.sent.some((one) => one.address.kind === 'user' && one.address.user === 'UNEW')).toBe(true)
  })
})
