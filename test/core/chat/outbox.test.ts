import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Undelivered } from '../../../src/core/chat/outlet.ts'
import { createRoom, type Room } from './room.ts'

let room: Room
let ada: Awaited<ReturnType<Room['linked']>>
beforeAll(async () => {
  room = await createRoom()
  ada = await room.linked('ada', 'UADA')
})
afterAll(() => room[Symbol.asyncDispose]())
afterEach(() => room.fail())

const creates = () => room.host.fake.calls.filter((call) => call.method === 'engine.create').length

describe('G02: one delivery, however often it comes', () => {
  test('is carried out and answered once', async () => {
    const before = [creates(), room.sent.length] as const
    const twice = room.errand(ada.who, { line: 'create once --image debian' })
    expect(await Promise.all([0, 1, 2, 3].map(() => room.chat.take(twice)))).toEqual(
      expect.arrayContaining(['taken', 'known', 'known', 'known']),
    )
    await room.chat.settle()
    expect([creates(), room.sent.length]).toEqual([before[0] + 1, before[1] + 1])
    expect(room.sent.at(-1)!.letter.reply.data).toMatchObject({ name: 'once', state: 'running' })
  })
})

describe('from the moment it is stored', () => {
  test('a call survives its process, is carried out once, and its answer arrives once', async () => {
    // A process that stores and dies before it does anything.
    const other = room.make('dead')
    await other.take(room.errand(ada.who, { line: 'create later --image debian' }, 'stored-then-died'))
    const before = [creates(), room.sent.length] as const
    await room.chat.settle()
    await room.chat.settle()
    expect([creates(), room.sent.length]).toEqual([before[0] + 1, before[1] + 1])
    expect(room.sent.at(-1)!.letter.reply).toMatchObject({ tone: 'ok', data: { name: 'later' } })
  })

  test('what it began before a crash is waited for and not begun anew, even where it took away what it was about', async () => {
    await room.type(ada.who, 'create goner --image debian')
    const errand = room.errand(ada.who, { line: 'rm -f goner' })
    await room.chat.take(errand)
    // Carried out by a process that never got to say so.
    await room.sql(
      `update outbox set fence = 1, holder = 'dead', lease_until = now() - interval '1 second' where key = '${errand.key}'`,
    )
    const id = (await room.store.outbox.byId((await rowOf(errand.key)).id))!.id
    const actor = await room.chat.identify(ada.who)
    await room.door.handle({ actor, input: { line: 'rm -f goner' }, requestId: id }, { wait: 20_000 })
    await room.chat.settle()
    expect(room.sent.at(-1)!.letter.reply).toMatchObject({
      tone: 'ok',
      text: expect.stringContaining('goner is removed'),
    })
  })

  test('a send that was begun and never ended is marked as a repeat; an edit of what has a place is not', async () => {
    const errand = room.errand(ada.who, { line: 'ps' })
    await room.make('dead').take(errand)
    await room.chat.settle()
    await room.sql(`update outbox set status = 'owed', sends = 1, place = null where key = '${errand.key}'`)
    await room.chat.settle()
    expect(room.sent.at(-1)!.letter.repeat).toBe(true)
    await room.sql(`update outbox set status = 'owed', sends = 1, place = '{"ts":"9"}' where key = '${errand.key}'`)
    await room.chat.settle()
    expect(room.sent.at(-1)).toMatchObject({ placed: { ts: '9' }, letter: { repeat: false } })
  })

  test('what cannot be stored is not done, then or later', async () => {
    const before = creates()
    const store = room.store.outbox
    const tx = room.store.tx
    const broken = { ...room.works.store, tx: () => Promise.reject(new Error('down')) }
    expect(store).toBeDefined()
    const { createChat } = await import('../../../src/core/chat/chat.ts')
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const chat = createChat({
      works: { ...room.works, store: broken as unknown as typeof room.store },
      door: room.door,
      commands: room.door.commands,
      log,
      holder: 'broken',
    })
    chat.attach(room.outlet)
    await expect(chat.take(room.errand(ada.who, { line: 'create never --image debian' }))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('nothing was done'),
    })
    await room.chat.settle()
    await chat.stop(10)
    expect(creates()).toBe(before)
    expect(tx).toBe(room.store.tx)
  })
})

async function rowOf(key: string) {
  const rows = await room.rows<{ id: string; status: string; sends: number }>(
    `select id, status, sends from outbox where key = '${key}'`,
  )
  if (!rows[0]) throw new Error(`no row ${key}`)
  return rows[0]
}

describe('G12: a platform that fails', () => {
  test('is not tried again before it allows, the work is done meanwhile, and the answer arrives once when it is back', async () => {
    const errand = room.errand(ada.who, { line: 'create patient --image debian' })
    let tries = 0
    room.fail(() => {
      tries++
      return Promise.reject(new Undelivered('429', 600, undefined, true))
    })
    const before = room.sent.length
    await room.chat.take(errand)
    await room.chat.settle()
    expect((await room.store.containers.byName(ada.person.id, 'patient'))?.state).toBe('running')
    await room.chat.settle()
    expect(tries).toBe(1)
    room.fail()
    await sleep(700)
    await room.chat.settle()
    await room.chat.settle()
    expect(room.sent.length).toBe(before + 1)
    expect(room.sent.at(-1)!.letter).toMatchObject({ repeat: false, reply: { tone: 'ok' } })
  })

  test('a place that is gone for good is given up, and the work stays done', async () => {
    room.fail(() => Promise.reject(new Undelivered('channel_not_found')))
    const errand = room.errand(ada.who, { line: 'create orphan --image debian' })
    await room.chat.take(errand)
    await room.chat.settle()
    expect((await rowOf(errand.key)).status).toBe('dropped')
    expect(await room.store.containers.byName(ada.person.id, 'orphan')).toBeDefined()
  })
})

describe('buttons', () => {
  test('G07: pressed by another they run as that other, or are refused; never as whom they were made for', async () => {
    const eve = await room.linked('eve', 'UEVE')
    const made = await room.type(ada.who, 'create mine --image debian')
    const stop = made.buttons.find((button) => button.label === 'Stop')!
    expect((await room.act(eve.who, { press: stop.id })).reply.error).toBe('not_found')
    const asked = await room.type(ada.who, 'rm mine')
    const confirm = asked.buttons.find((button) => button.danger)!
    expect((await room.act(eve.who, { press: confirm.id })).reply.error).toBe('denied')
    expect((await room.act(room.visitor('UNOBODY'), { press: stop.id })).reply.error).toBe('unlinked')
    expect(await room.store.containers.byName(ada.person.id, 'mine')).toMatchObject({ state: 'running' })
    const [row] = await room.store.audit.read({ name: 'eve', limit: 1 })
    expect(row).toMatchObject({ command: 'button', decision: 'refused', code: 'denied' })
  })

  test('a confirmation is answered once: by confirming, or by cancelling', async () => {
    await room.type(ada.who, 'create target --image debian')
    await room.type(ada.who, 'stop target')
    const first = await room.type(ada.who, 'rm target')
    const [confirm, cancel] = first.buttons
    expect([confirm, cancel]).toMatchObject([{ danger: true }, { label: 'Cancel' }])
    const gone = await room.act(ada.who, { press: cancel!.id })
    expect(gone).toMatchObject({ instead: true, reply: { text: 'Nothing was done.' } })
    expect((await room.act(ada.who, { press: confirm!.id })).reply.error).toBe('conflict')
    const second = await room.type(ada.who, 'rm target')
    const done = await Promise.all(
      [0, 1].map(() => room.chat.take(room.errand(ada.who, { press: second.buttons[0]!.id }))),
    )
    expect(done).toEqual(['taken', 'taken'])
    await room.chat.settle()
    const texts = room.sent.slice(-2).map((one) => one.letter.reply.text)
    expect(texts.toSorted().join(' | ')).toMatch(
      /target is removed.*(already|too old)|(already|too old).*target is removed/,
    )
    expect(room.host.fake.calls.filter((call) => call.method === 'engine.remove').length).toBeGreaterThan(0)
  })

  test('they expire', async () => {
    const made = await room.type(ada.who, 'create short --image debian')
    await room.sql(`update buttons set expires_at = now() - interval '1 second'`)
    expect((await room.act(ada.who, { press: made.buttons[0]!.id })).reply).toMatchObject({
      error: 'conflict',
      text: expect.stringContaining('too old'),
    })
  })

  test('what was asked for is refused once the asker may not any more', async () => {
    const bob = await room.linked('bob', 'UBOB')
    const made = await room.type(bob.who, 'create web --image debian')
    await room.say(room.admin, 'user suspend bob')
    expect((await room.act(bob.who, { press: made.buttons[0]!.id })).reply.error).toBe('denied')
    await room.say(room.admin, 'user resume bob')
  })
})

test("I05: a long list is kept and turned over page by page; nothing is run again, and it is nobody else's", async () => {
  for (let n = 0; n < 25; n++) await room.say(ada.person, `token new t${n} --for 1d`)
  const first = await room.type(ada.who, 'token ls')
  expect(first.page).toMatchObject({ at: 0, of: 3 })
  expect(first.reply.table?.rows).toHaveLength(10)
  await room.say(ada.person, 'token rm t24')
  const last = await room.act(ada.who, { page: first.page!.id, at: 2 })
  expect(last).toMatchObject({ instead: true, page: { id: first.page!.id, at: 2, of: 3 } })
  expect(last.reply.table?.rows).toHaveLength(5)
  const eve = await room.linked('eve2', 'UEVE2')
  expect((await room.act(eve.who, { page: first.page!.id, at: 1 })).reply.error).toBe('not_found')
})

test('--post tells the channel that something was done, and nothing of the answer', async () => {
  const before = room.sent.length
  await room.type(ada.who, 'create loud --image debian --post')
  const open = room.sent.slice(before).find((one) => one.letter.open)!
  expect(open.letter.reply).toEqual({ text: 'ada used create loud.', tone: 'info' })
  expect(room.sent.slice(before).find((one) => !one.letter.open)!.letter.reply.private).toBe(true)
})

test('what is kept of a call is sealed', async () => {
  await room.make('dead').take(room.errand(ada.who, { line: 'create veryreadable --image debian' }))
  const rows = await room.rows<Record<string, unknown>>('select * from outbox')
  expect(JSON.stringify(rows)).not.toMatch(/veryreadable|ssh -p/)
  await room.chat.settle()
  expect(JSON.stringify(await room.rows('select * from outbox, buttons'))).not.toMatch(/veryreadable|ssh -p/)
})
