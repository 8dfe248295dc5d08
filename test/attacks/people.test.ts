import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { commands } from '../../src/commands/index.ts'
import { createLog } from '../../src/log.ts'
import { required } from '../core/door/values.ts'
import { createWorld, publicKey, type World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

const must = async (line: string, who = alice!) => {
  const reply = await world.say(who, line)
  expect(reply.error, `${line}: ${reply.text}`).toBeUndefined()
  return reply
}
const keysIn = async (who: Person) =>
  (await world.store.containers.of(who.id)).map(
    (container) => world.host.fake.run(container.id)?.authorizedKeys ?? null,
  )

test.each([
  '../bob',
  '.',
  '',
  'a/b',
  'a\0b',
  'Bob',
  'a'.repeat(300),
  '-x',
  'bob ',
  'root',
  'ｂob',
  'bob\n',
  'b',
  '0day',
  'ad_min',
])('D05 a member cannot be called %j', async (name) => {
  await world.refused(world.admin, { name: 'user add', args: { name } }, 'usage')
})

describe('N01 what is for admins is refused to a member, whichever way they come', () => {
  const admins = commands.filter((command) => command.needs === 'admin')
  test('there are such commands', () => expect(admins.length).toBeGreaterThan(30))

  test.each(admins.map((command) => [command.name, command] as const))('%s', async (name, command) => {
    const said = { name, args: { ...required(command), yes: true } }
    for (const surface of ['http', 'ssh', 'slack', 'discord', 'hook'] as const)
      await world.refused(bob!, said, 'denied', { actor: { surface } })
  })
})

describe('keys reach what runs, and nothing else', () => {
  test('E05 adding, removing and suspending is in each container at once; resuming brings it back', async () => {
    for (const name of ['one', 'two', 'three']) await must(`create ${name} --image debian -m 64m`)
    await must('pause three')
    await must('create his --image debian -m 64m', bob)
    const his = await keysIn(bob!)
    await must(`key add ${publicKey('second')}`)
    const both = await keysIn(alice!)
    expect(both.map((text) => text!.trim().split('\n').length)).toEqual([2, 2, 2])
    await must('key rm second')
    expect((await keysIn(alice!)).map((text) => text!.trim().split('\n').length)).toEqual([1, 1, 1])
    await must('user suspend alice', world.admin)
    expect(await keysIn(alice!)).toEqual(['', '', ''])
    await must('user resume alice', world.admin)
    expect((await keysIn(alice!)).map((text) => text!.trim().split('\n').length)).toEqual([1, 1, 1])
    expect(await keysIn(bob!)).toEqual(his)
  })

  test('E01, E02 a file holds only types and keys, a line each, whatever was given', async () => {
    for (const text of [
      `command="x" ${publicKey()}`,
      `from="*" ${publicKey()}`,
      `environment="A=b" ${publicKey()}`,
      `cert-authority ${publicKey()}`,
      `restrict,pty ${publicKey()}`,
      `${publicKey()}\n${publicKey()}`,
      `${publicKey('a')}\r\nssh-rsa AAAA`,
      `\ufeff${publicKey()}`,
      `${publicKey()}\0`,
    ])
      await world.tell(alice!, { name: 'key add', args: { key: text } })
    for (const file of await keysIn(alice!))
      for (const line of file!.trimEnd().split('\n'))
        expect(line).toMatch(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+$/)
  })

  test("E04 another member's public key gives nothing, and is refused", async () => {
    const [key] = await world.store.keys.of(bob!.id)
    await world.refused(alice!, `key add ${key!.type} ${key!.blob}`, 'conflict')
    expect((await keysIn(alice!)).join('')).not.toContain(key!.blob)
  })
})

describe('N04 a member who is removed', () => {
  test('running, paused, stopped and half made: all goes, and once more is nothing', async () => {
    const eve = await world.member('eve')
    for (const name of ['runs', 'paused', 'stopped', 'fails'])
      await must(`create ${name} --image debian -m 64m -p 80`, eve)
    await must('pause paused', eve)
    await must('stop stopped', eve)
    world.host.fake.exit((await world.container(eve, 'fails')).engineId!, 1)
    await must('commit runs mine:1', eve)
    await must('token new t', eve)
    await must('grant eve restart-policy', world.admin)
    const ids = (await world.store.containers.of(eve.id)).map((one) => one.engineId!)
    const others = (await world.store.containers.all())
      .filter((one) => one.ownerId !== eve.id)
      .map((one) => one.engineId!)
    await must('user rm eve --images --storage --yes', world.admin)
    for (const id of ids) await expect(world.host.engine.inspect(id)).rejects.toMatchObject({ fault: 'gone' })
    for (const id of others) await expect(world.host.engine.inspect(id)).resolves.toBeDefined()
    expect(await world.store.ports.taken('local', 'tcp').then((ports) => ports.size)).toBe(others.length)
    expect(world.host.fake.networkNames().some((name) => name.includes(eve.id))).toBe(false)
    expect((await world.host.files.list()).storages).not.toContain(eve.id)
    expect((await world.host.files.list()).runs).toHaveLength(others.length)
    expect(await world.store.images.of(eve.id)).toEqual([])
    await world.refused(world.admin, 'user rm eve --yes', 'not_found')
  })

  test('N05 a job, a build and a program that would go on for hours are no reason to stay', async () => {
    const eve = await world.member('eve')
    await must('create web --image debian -m 64m', eve)
    const hold = world.host.fake.hold('engine.exec')
    const lines = ['run debian -m 64m --timeout 1h -- stay', 'build made:v1 "FROM debian\nRUN stay"']
    const ends = lines.map((line) => world.say(eve, line))
    const going = async () => (await world.store.containers.of(eve.id)).filter((one) => one.state === 'running')
    await until('all of it to run', async () => (await going()).length === 3)
    const removing = world.say(world.admin, 'user rm eve --yes')
    const left = async () => (await world.host.engine.list()).filter((one) => one.state === 'running')
    const theirs = new Set((await going()).map((one) => one.engineId))
    await until('it to be ended', async () => (await left()).every((one) => !theirs.has(one.engineId)))
    hold()
    expect((await removing).tone).toBe('ok')
    await Promise.all(ends)
    expect(await world.store.containers.of(eve.id)).toEqual([])
  })

  test('N05 while they create in a loop: at the end nothing is left', async () => {
    const mad = await world.member('mad')
    let over = false
    const loop = (async () => {
      for (let at = 0; !over && at < 200; at++)
        await world.door.handle(
          {
            actor: { person: (await world.store.people.byId(mad.id)) ?? { ...mad, state: 'leaving' }, surface: 'http' },
            input: { line: `create c${at} --image bare -m 16m` },
          },
          { wait: 0 },
        )
    })()
    await until('three containers', async () => (await world.store.containers.of(mad.id)).length >= 3)
    await must('user rm mad --images --storage --yes', world.admin)
    over = true
    await loop
    expect(await world.store.people.byName('mad')).toBeUndefined()
    expect((await world.store.containers.all()).filter((one) => one.ownerId === mad.id)).toEqual([])
    expect(
      (await world.host.engine.list()).filter((seen) => world.host.fake.wish(seen.engineId)?.ownerId === mad.id),
    ).toEqual([])
  })
})

describe('I03, I04 what members and containers write', () => {
  const hostile =
    '\u001b[31mred\u001b]0;title\u0007\u001b]52;c;aGk=\u0007\u001b[2J\rback\b\b\u202eevil\u2066x\u2028y\u009b31m'

  test('I03 a log is shown without what moves a terminal', async () => {
    await must('create loud --image debian -m 64m', bob)
    const { engineId } = await world.container(bob!, 'loud')
    world.host.fake.write(engineId!, `${hostile}\n`)
    const { code } = await must('logs loud', bob)
    // oxlint-disable-next-line no-control-regex
    expect(code).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/)
    expect(code).toContain('red')
  })

  test('I04 what is refused for its words is one row and one line, whatever the words', async () => {
    const written: string[] = []
    const log = createLog({ level: 'debug', write: (line) => void written.push(line) })
    for (const text of ['\n{"level":"info"}', 'a\r\nb', 'a\u2028b', 'a\0b', hostile]) {
      await world.refused(alice!, { name: 'stop', args: { container: [text] } }, 'not_found')
      log.warn({ name: text }, `a call about ${text}`)
      const [row] = await world.store.audit.read({ limit: 1 })
      // oxlint-disable-next-line no-control-regex
      expect(`${row!.target}${row!.detail}`).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/)
    }
    expect(written).toHaveLength(5)
    for (const line of written.join('').trimEnd().split('\n'))
      expect(() => JSON.parse(line) as unknown, line).not.toThrow()
  })
})

test('N06 a hundred calls leave a row each that changed something or was refused, whole and without secrets', async () => {
  const before = (await world.store.audit.read({ limit: 2000 })).length
  const lines = [
    'create n1 --image bare -m 16m -e SECRET=hunter2',
    'ps',
    'stop n1',
    'start nothing',
    'frobnicate',
    'create n1 --image bare',
    'rm -f n1',
    'user ls',
    'key rm nothing',
    'quota show',
  ]
  for (let times = 0; times < 10; times++) for (const line of lines) await world.say(bob!, line)
  const rows = (await world.store.audit.read({ limit: 2000 })).slice(0, -before)
  expect(rows).toHaveLength(10 * 8)
  for (const row of rows) {
    expect(row).toMatchObject({
      actor: 'bob',
      surface: 'http',
      requestId: expect.stringMatching(/./),
      at: expect.any(Date),
    })
    expect(row.decision === 'done' ? row.code : (row.code ?? 'none')).toBe(row.decision === 'done' ? null : row.code)
  }
  expect(JSON.stringify(rows)).not.toContain('hunter2')
  expect(rows.filter((row) => row.decision === 'done')).toHaveLength(30)
})
