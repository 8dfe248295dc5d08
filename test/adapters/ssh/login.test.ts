import { once } from 'node:events'
import ssh2, { type ParsedKey } from 'ssh2'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AuditRecord } from '../../../src/core/store/audit.ts'
import { createSshWorld, exec, collect, makeKey, type Pair, shell, type SshWorld } from './setup.ts'

// Each opens connections of its own; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 })

let world: SshWorld
let ada: Pair
let eve: Pair
beforeAll(async () => {
  world = await createSshWorld()
  ada = (await world.someone('ada')).key
  eve = (await world.someone('eve')).key
})
afterAll(() => world[Symbol.asyncDispose]())

const parse = (text: string) => ssh2.utils.parseKey(text) as ParsedKey

/** Shows one key and signs with whatever it likes. */
class Forger extends ssh2.BaseAgent {
  readonly shown: ParsedKey
  readonly forge: (data: Buffer) => Buffer
  constructor(shown: Pair, forge: (data: Buffer) => Buffer) {
    super()
    this.shown = parse(shown.public)
    this.forge = forge
  }
  getIdentities(done: (error: undefined, keys: ParsedKey[]) => void) {
    done(undefined, [this.shown])
  }
  sign(_key: ParsedKey, data: Buffer, ...rest: unknown[]) {
    const done = rest.at(-1) as (error: undefined, signature: Buffer) => void
    done(undefined, this.forge(data))
  }
}

/** Runs something that must not get in. @returns the rows that the audit log has of it */
async function refused(
  name: string,
  how: Parameters<SshWorld['login']>[1],
): Promise<{ said: string; rows: AuditRecord[] }> {
  const [calls, last] = [world.host.fake.calls.length, (await world.store.audit.read({ limit: 1 }))[0]?.id ?? 0]
  const said = await world.login(name, how).then(
    () => 'LET IN',
    (error: Error) => error.message,
  )
  expect(said).not.toBe('LET IN')
  expect(world.host.fake.calls.length).toBe(calls)
  return { said, rows: (await world.store.audit.read({ limit: 50 })).filter((row) => row.id > last) }
}

const signed = (pair: Pair) => (data: Buffer) => parse(pair.private).sign(data) as Buffer

describe('F01: nobody comes in as somebody else', () => {
  test('a member does, with any of their keys, and it is recorded with key and address', async () => {
    const second = makeKey()
    await world.say(world.admin, `key add "${second.public}" --as ada`)
    for (const key of [ada, second])
      expect(await world.ssh('ada', key, 'whoami')).toMatchObject({
        code: 0,
        out: expect.stringContaining('You are ada'),
      })
    const [row] = (await world.store.audit.read({ limit: 50 })).filter((one) => one.command === 'login')
    expect(row).toMatchObject({
      actor: 'ada',
      surface: 'ssh',
      decision: 'done',
      address: '127.0.0.1',
      fingerprint: expect.stringMatching(/^SHA256:/),
    })
  })

  test.for<[string, (data: Buffer) => Buffer]>([
    ['signed by another key', (data) => signed(eve)(data)],
    ['signed over something else', () => signed(ada)(Buffer.from('something else'))],
    ['all zero', () => Buffer.alloc(64)],
    ['empty', () => Buffer.alloc(0)],
    ['too long', (data) => Buffer.concat([signed(ada)(data), Buffer.from([0])])],
    ['too short', (data) => signed(ada)(data).subarray(1)],
  ])('a signature that is %s', async ([, forge]) => {
    const { rows } = await refused('ada', { agent: new Forger(ada, forge) })
    expect(rows).toMatchObject([
      {
        command: 'login',
        target: 'ada',
        decision: 'refused',
        actor: null,
        detail: expect.stringContaining('signature'),
      },
    ])
  })

  test('a signature of an earlier connection', async () => {
    let kept: Buffer = Buffer.alloc(0)
    const client = await world.login('ada', { agent: new Forger(ada, (data) => (kept = signed(ada)(data))) })
    client.end()
    const { rows } = await refused('ada', { agent: new Forger(ada, () => kept) })
    expect(rows).toMatchObject([{ decision: 'refused' }])
  })

  test('their own key after having shown another’s', async () => {
    const agent = new Forger(ada, () => Buffer.alloc(64))
    const methods = [
      { type: 'agent' as const, username: 'ada', agent },
      { type: 'publickey' as const, username: 'ada', key: eve.private },
    ]
    const { rows } = await refused('ada', { authHandler: methods })
    expect(rows.map((row) => row.decision)).toEqual(['refused', 'refused'])
  })

  test.for([
    'ADA',
    'ada ',
    ' ada',
    'ada\0',
    'ada\n',
    'ada+',
    'ada++web',
    'ada/web',
    'eve+ada',
    '',
    'root',
    'admin',
    'аda',
    '../ada',
    'ada@x',
    "ada'--",
    'a'.repeat(5000),
    '__proto__',
  ])('ada’s key with the name %j', async (name) => {
    await refused(name, ada)
  })

  test('no password, no dialogue, no nothing', async () => {
    await refused('ada', { password: 'ada' })
    await refused('ada', { tryKeyboard: true, password: '' })
    await refused('ada', { authHandler: ['none'] })
    await refused('ada', { authHandler: ['none', 'password', 'keyboard-interactive'], password: '' })
  })

  test('a suspended member, from the moment on, and again when they are back', async () => {
    await world.say(world.admin, 'user suspend eve')
    const { rows } = await refused('eve', eve)
    expect(rows).toMatchObject([{ decision: 'refused', detail: expect.stringContaining('suspended') }])
    await world.say(world.admin, 'user resume eve')
    expect(await world.ssh('eve', eve, 'whoami')).toMatchObject({ code: 0 })
  })
})

test('F08: whatever is wrong, the answer is the same', async () => {
  const unknown = makeKey()
  const said = new Set<string>()
  for (const [name, key] of [
    ['ada', eve],
    ['ada', unknown],
    ['nobody-here', ada],
    ['nobody-here', unknown],
    ['ada+web', eve],
    ['!!', ada],
  ] as const)
    said.add((await refused(name, key)).said)
  expect(said.size).toBe(1)
})

test('tries are counted, and a flood of refusals is one row in the log after a while', async () => {
  const keys = Array.from({ length: 11 }, makeKey)
  const { rows } = await refused('ada', {
    authHandler: keys.map((key) => ({ type: 'publickey' as const, username: 'ada', key: key.private })),
  })
  expect(rows.length).toBeLessThanOrEqual(10)
  for (let n = 0; n < 3; n++)
    await refused('ada', {
      authHandler: keys.map((key) => ({ type: 'publickey' as const, username: 'ada', key: key.private })),
    })
  const all = (await world.store.audit.read({ limit: 500 })).filter(
    (row) => row.command === 'login' && row.decision === 'refused',
  )
  expect(all[0]!.detail).toContain('not recorded for a minute')
  expect(all.length).toBeLessThanOrEqual(31)
})

describe('an invitation', () => {
  beforeEach(() => world.sql('delete from guesses'))
  const invite = async (name: string) =>
    ((await world.say(world.admin, `user invite ${name}`)).data as { code: string }).code

  test('enrols the key that comes with it, once', async () => {
    const [code, mine, other] = [await invite('bob'), makeKey(), makeKey()]
    expect(await world.ssh(`invite:${code}`, mine, 'whoami')).toMatchObject({
      code: 0,
      out: expect.stringContaining('You are bob'),
    })
    expect(await world.ssh('bob', mine, 'whoami')).toMatchObject({ code: 0 })
    await refused(`invite:${code}`, other)
    await refused('bob', other)
    expect(await world.rows(`select 1 from codes where hash like '%${code.slice(5).replaceAll('-', '')}%'`)).toEqual([])
  })

  test('says what it did also where nothing is typed', async () => {
    const channel = await shell(await world.login(`invite:${await invite('still')}`, makeKey()), false)
    const ran = collect(channel)
    channel.end()
    expect(await ran).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringMatching(/^Welcome, still: this key is yours/),
    })
  })

  test('of an earlier code is void, and typed in another case it is good', async () => {
    const first = await invite('carol')
    const second = await invite('carol')
    await refused(`invite:${first}`, makeKey())
    expect(await world.ssh(`invite:${second.toUpperCase()}`, makeKey(), 'whoami')).toMatchObject({ code: 0 })
  })

  test('G06: is void after five wrong tries, and whoever guesses is stopped', async () => {
    const code = await invite('dora')
    const wrong = `${code.slice(0, 5)}${'0000-0000-0000-0000'}`
    for (let n = 0; n < 5; n++) await refused(`invite:${wrong}`, makeKey())
    await refused(`invite:${code}`, makeKey())
    expect(await world.rows(`select tries from codes where id = '${code.slice(0, 4)}'`)).toEqual([{ tries: 5 }])
    await world.sql(`delete from guesses`)
    await refused(`invite:${code}`, makeKey())
  })

  test('is not good for a key that is somebody’s already, and stays good then', async () => {
    const code = await invite('frank')
    await refused(`invite:${code}`, ada)
    expect(await world.ssh(`invite:${code}`, makeKey(), 'whoami')).toMatchObject({
      code: 0,
      out: expect.stringContaining('frank'),
    })
  })

  test('is over when its time is', async () => {
    const code = await invite('gina')
    await world.sql(`update codes set expires_at = now() - interval '1 second' where id = '${code.slice(0, 4)}'`)
    await refused(`invite:${code}`, makeKey())
  })

  test('of two who come at once, one gets in', async () => {
    const code = await invite('hans')
    const both = await Promise.allSettled([makeKey(), makeKey()].map((key) => world.login(`invite:${code}`, key)))
    expect(both.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })
})

test('the key is asked for again at every command: who lost it is out', async () => {
  const { key } = await world.someone('ines')
  const client = await world.login('ines', key)
  expect(await collect(await exec(client, 'whoami'))).toMatchObject({ code: 0 })
  const closed = once(client, 'close')
  const id = (await world.store.keys.of((await world.store.people.byName('ines'))!.id)).find((one) =>
    key.public.includes(one.blob),
  )!.id
  await world.store.keys.remove((await world.store.people.byName('ines'))!.id, id)
  // The look that is taken each second may have been first.
  await exec(client, 'ps')
    .then(collect)
    .catch(() => undefined)
  await closed
})
