import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { tellNotices } from '../../../src/core/chat/notices.ts'
import { notice, noticeEnding } from '../../../src/core/people/notices.ts'
import { type Looks, watchHealth } from '../../../src/core/upkeep/health.ts'
import { settleOne } from '../../../src/core/upkeep/reconcile.ts'
import { createRoom, type Room } from './room.ts'

let room: Room
let ada: Awaited<ReturnType<Room['linked']>>
const log = { debug() {}, info() {}, warn() {}, error() {} }
beforeAll(async () => {
  room = await createRoom()
  ada = await room.linked('ada', 'UADA')
})
afterAll(() => room[Symbol.asyncDispose]())
beforeEach(async () => {
  await room.sql('delete from notices')
  await room.sql('delete from mutes')
  await room.chat.settle()
})

/** Lets the quiet pass, and sends what is to be told. */
async function told() {
  const before = room.sent.length
  await room.sql(`update notices set created_at = created_at - interval '1 minute' where told_at is null`)
  await tellNotices(room.works)
  await room.chat.settle()
  return room.sent.slice(before)
}

const ends = async (name: string, oom: boolean) => {
  const container = await room.container(ada.person, name)
  room.host.fake.exit(container.engineId!, 137, oom)
  const seen = await room.host.engine.find(container.engineName)
  await settleOne({ works: room.works, runner: room.runner, log }, container.id, seen, { seen: true, exitCode: 137 })
}

test('a container that died by itself, and one that ran out of memory, are told to their owner with the obvious buttons', async () => {
  await room.type(ada.who, 'create web --image debian')
  await ends('web', false)
  const [one] = await told()
  expect(one).toMatchObject({
    address: { kind: 'user', scope: 'T1', user: 'UADA' },
    letter: { reply: { tone: 'warn', text: 'web ended by itself, with exit code 137.' } },
  })
  expect(one!.letter.buttons.map((button) => button.label)).toEqual(['Start it', 'Show its log'])
  expect((await room.act(ada.who, { press: one!.letter.buttons[0]!.id })).reply.text).toBe('web is running.')
  await ends('web', true)
  expect((await told())[0]!.letter.reply.text).toBe('web ran out of memory and ended, with exit code 137.')
})

test('a container that cannot be entered any more is told of once, and is well again when it answers', async () => {
  await room.type(ada.who, 'create sick --image debian')
  const looks: Looks = new Map()
  const look = () => watchHealth({ works: room.works, runner: room.runner, log }, room.works.settings.hostId, looks)
  const trouble = async () => (await room.container(ada.person, 'sick')).trouble
  await look()
  room.host.fake.setGreeting('no answer')
  await look()
  expect([await told(), await trouble()]).toEqual([[], null])
  await look()
  await look()
  const sent = await told()
  expect(sent.filter((one) => one.letter.reply.text.includes('sick')).map((one) => one.letter)).toMatchObject([
    {
      reply: { tone: 'warn', text: 'sick runs, but its SSH server does not answer; restart it, or look at its log.' },
      buttons: [{ label: 'Restart it' }, { label: 'Show its log' }],
    },
  ])
  expect(await trouble()).toBe('Its SSH server does not answer; restart it.')
  room.host.fake.setGreeting(null)
  await look()
  expect(await trouble()).toBeNull()
  // Stopped on purpose it is not sick.
  room.host.fake.setGreeting('no answer')
  await room.type(ada.who, 'stop sick')
  for (let n = 0; n < 3; n++) await look()
  expect(await told()).toEqual([])
  room.host.fake.setGreeting(null)
})

test('a burst is one message, and the same thing is told once', async () => {
  for (let n = 0; n < 30; n++)
    await notice(room.store, room.works.random, {
      ownerId: ada.person.id,
      kind: 'died',
      key: `k${n % 15}`,
      text: `c${n % 15} ended.`,
      actions: [{ label: 'Start it', line: `start c${n % 15}` }],
    })
  const sent = await told()
  expect(sent).toHaveLength(1)
  expect(sent[0]!.letter.reply.text).toBe('15 things happened; here they are in order.')
  expect(sent[0]!.letter.page).toMatchObject({ of: 2 })
  expect((await room.act(ada.who, { page: sent[0]!.letter.page!.id, at: 1 })).reply.table?.rows).toHaveLength(5)
  expect(await told()).toEqual([])
})

test('nothing is told before it has been quiet for a moment', async () => {
  await notice(room.store, room.works.random, { ownerId: ada.person.id, kind: 'died', key: 'now', text: 'x ended.' })
  const before = room.sent.length
  await tellNotices(room.works)
  await room.chat.settle()
  expect(room.sent.length).toBe(before)
})

test('notify turns kinds off and on', async () => {
  expect((await room.type(ada.who, 'notify off died')).reply.data).toMatchObject({ died: false, oom: true })
  const add = (kind: 'died' | 'oom') =>
    notice(room.store, room.works.random, { ownerId: ada.person.id, kind, key: kind, text: `${kind} happened.` })
  await add('died')
  expect(await told()).toEqual([])
  await add('oom')
  expect((await told()).map((one) => one.letter.reply.text)).toEqual(['oom happened.'])
  expect((await room.type(ada.who, 'notify on all')).reply.data).toMatchObject({ died: true })
  expect((await room.type(ada.who, 'notify off everything')).reply.error).toBe('usage')
})

test('who is in no chat is told nothing, and nothing is kept for them', async () => {
  const bob = await room.member('bob')
  await notice(room.store, room.works.random, { ownerId: bob.id, kind: 'died', key: 'x', text: 'x ended.' })
  expect(await told()).toEqual([])
  expect(await room.rows('select id from notices where told_at is null')).toEqual([])
})

describe('a grant that ends soon', () => {
  test('is told of once, and not when it was given for just a moment', async () => {
    await room.say(room.admin, 'grant ada port:443 --for 30m')
    await noticeEnding(room.works)
    expect(await told()).toEqual([])
    await room.sql(
      `update grants set created_at = now() - interval '1 day', expires_at = now() + interval '20 minutes'`,
    )
    for (let n = 0; n < 3; n++) await noticeEnding(room.works)
    const sent = await told()
    expect(sent.map((one) => one.letter.reply.text)).toEqual([
      expect.stringMatching(/^Your grant port:443 ends 20\d\d-/),
    ])
    const asked = await room.act(ada.who, { press: sent[0]!.letter.buttons[0]!.id })
    expect(asked.reply.data).toMatchObject({ thing: 'port:443', for: 86_400_000, state: 'open' })
  })
})

describe('requests', () => {
  test('nobody decides on their own, of two who decide one finds it decided, and a member decides on nothing', async () => {
    const [boss, chief] = [await room.linked('boss', 'UBOSS', 'admin'), await room.linked('chief', 'UCHIEF', 'admin')]
    const own = (await room.say(boss.person, 'request cap:NET_RAW')).data as { id: string }
    await room.refused(boss.person, `approve ${own.id}`, 'denied')
    await room.refused(ada.person, `approve ${own.id}`, 'denied')
    const both = await Promise.all([
      room.say(chief.person, `approve ${own.id} --for 1d`),
      room.say(room.admin, `deny ${own.id}`),
    ])
    expect(new Set(both.map((reply) => reply.error))).toEqual(new Set(['conflict', undefined]))
    const twice = (await room.say(ada.person, 'request cap:SYS_NICE')).data as { id: string }
    expect((await room.say(ada.person, 'request cap:SYS_NICE')).error).toBe('conflict')
    expect((await room.say(chief.person, `deny ${twice.id}`)).error).toBeUndefined()
    expect((await room.say(ada.person, 'requests')).data).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: twice.id, state: 'denied', decided_by: 'chief' })]),
    )
  })

  test('an admin who acts for a member does not approve what they asked for as themselves', async () => {
    const asked = (await room.say(room.admin, 'request cap:LEASE')).data as { id: string }
    expect((await room.say(room.admin, `approve ${asked.id} --as boss`)).error).toBe('denied')
  })

  test('in the channel of the admins, where there is one', async () => {
    await using other = await createRoom({
      settings: { adminChannel: { platform: 'slack', scope: 'T1', channel: 'CADMIN' } },
    })
    const kim = await other.linked('kim', 'UKIM')
    await other.type(kim.who, 'request port:443 --why demo')
    const cards = other.sent.filter((one) => one.address.kind === 'channel')
    expect(cards.map((one) => one.address)).toEqual([{ kind: 'channel', scope: 'T1', channel: 'CADMIN' }])
    // Whoever presses is checked, also the one who asked.
    expect((await other.act(kim.who, { press: cards[0]!.letter.buttons[0]!.id })).reply.error).toBe('denied')
  })
})
