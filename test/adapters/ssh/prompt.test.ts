import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import type { Client } from 'ssh2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Person } from '../../../src/core/model/person.ts'
import { collect, createSshWorld, exec, type Pair, reader, shell, type SshWorld } from './setup.ts'
import { until } from '../../setup/until.ts'

// Each opens connections of its own; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 })

let world: SshWorld
let ada: Pair
let person: Person
beforeAll(async () => {
  world = await createSshWorld()
  if (!(await world.store.images.byRef(null, 'debian:latest'))) {
    const made = world.host.fake.addImage('dcm/test/debian:latest')
    const about = {
      ownerId: null,
      hostId: 'local',
      ref: 'debian:latest',
      engineId: made.engineId,
      engineRef: 'dcm/test/debian:latest',
    }
    await world.store.images.insert({ id: 'imgdeb', ...about, size: 1, layers: 1, ssh: true })
  }
  const made = await world.someone('ada')
  ;[ada, person] = [made.key, made.person]
  expect((await world.say(person, 'create web --image debian')).error).toBeUndefined()
})
afterAll(() => world[Symbol.asyncDispose]())

let client: Client
beforeEach(async () => void (client = await world.login('ada', ada)))
afterEach(() => void client.end())

/** A prompt, past its greeting. */
async function prompt() {
  const channel = await shell(client, { term: 'xterm', cols: 100, rows: 30 })
  const shown = reader(channel)
  await shown('dcm> ')
  return { channel, shown, type: (text: string) => void channel.write(text) }
}
const code = async (channel: Awaited<ReturnType<typeof shell>>) => (await once(channel, 'close'))[0] as number

describe('one command', () => {
  test.for<[string, number, RegExp]>([
    ['ps', 0, /You have one container/],
    ['nosuch', 2, /There is no command nosuch/],
    ['stop nope', 4, /no container called nope/],
    ['user ls', 3, /for admins/],
    ['create web --image debian', 5, /already/],
    ['create big --image debian -m 900g', 6, /memory/],
  ])('%s ends with %i', async ([line, status, words]) => {
    const ran = await world.ssh('ada', ada, line)
    expect(ran.code).toBe(status)
    expect(status === 0 ? ran.out : ran.err).toMatch(words)
    expect(status === 0 ? ran.err : ran.out).toBe('')
  })

  test.for(['ps', 'restart'])('%s is in the audit log, with key and address', async (command) => {
    expect(await world.ssh('ada', ada, command === 'ps' ? command : `${command} web`)).toMatchObject({ code: 0 })
    const seen = async () => (await world.store.audit.read({ limit: 5 })).find((row) => row.command === command)
    await until('it to be seen', seen)
    expect(await seen()).toMatchObject({
      actor: 'ada',
      surface: 'ssh',
      decision: 'done',
      address: '127.0.0.1',
      fingerprint: expect.stringMatching(/^SHA256:/),
    })
  })

  test('--json prints the reply and nothing else', async () => {
    const ran = await world.ssh('ada', ada, 'inspect web --json')
    expect(JSON.parse(ran.out)).toMatchObject({ data: { name: 'web', state: 'running' } })
    const wrong = await world.ssh('ada', ada, 'inspect nope --json')
    expect(JSON.parse(wrong.out)).toMatchObject({ error: 'not_found' })
    expect(wrong.code).toBe(4)
  })

  test('what has to be confirmed is not done, and the line that does it is said', async () => {
    expect((await world.say(person, 'create gone --image debian')).error).toBeUndefined()
    expect(await world.ssh('ada', ada, 'rm gone')).toMatchObject({
      code: 5,
      err: expect.stringContaining('rm gone --force'),
    })
    expect(await world.container(person, 'gone')).toBeDefined()
    expect(await world.ssh('ada', ada, 'rm gone -f')).toMatchObject({ code: 0 })
    await expect(world.container(person, 'gone')).rejects.toThrow(/no container/)
  })

  test('on a terminal it is asked for', async () => {
    expect((await world.say(person, 'create gone --image debian')).error).toBeUndefined()
    await world.say(person, 'stop gone')
    for (const [answer, status] of [
      ['n\r', 5],
      ['\u0003', 130],
      ['y\r', 0],
    ] as const) {
      const channel = await exec(client, 'rm gone', { pty: { term: 'xterm' } })
      const ended = code(channel)
      await reader(channel)('[y/N]')
      channel.write(answer)
      expect(await ended).toBe(status)
    }
    await expect(world.container(person, 'gone')).rejects.toThrow(/no container/)
  })

  test('what is piped in stands for a dash, and a private key is turned away', async () => {
    const { public: line, private: secret } = (await world.someone('zoe')).key
    expect(await world.ssh('ada', ada, 'key add -', { input: `${line}\n` })).toMatchObject({ code: 5 })
    const ran = await world.ssh('ada', ada, 'key add -', { input: secret })
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('private key') })
    expect(ran.err).not.toContain(secret.split('\n')[2])
  })

  test('without a terminal, lines are commands; the last one’s code counts', async () => {
    const channel = await shell(client, false)
    const ran = collect(channel)
    channel.end('whoami\n# nothing\n\nnosuch\nps\n')
    expect(await ran).toMatchObject({
      code: 0,
      out: expect.stringMatching(/You are ada[\s\S]*You have one/),
      err: expect.stringContaining('no command nosuch'),
    })
  })
})

describe('F04: no line is anything but words of DCM’s grammar', () => {
  test.for([
    'ls; id',
    '$(id)',
    '`id`',
    'ps | sh',
    'ps > /tmp/x',
    'ps && id',
    'ps\nid',
    '*',
    'create x --image=$(x)',
    'logs web; id',
    '"',
    "'",
    '\\',
    '--',
    '-',
  ])('%j', async (line) => {
    const before = world.host.fake.calls.filter((one) => one.method === 'engine.exec').length
    // https://nodejs.org/docs/latest/api/diagnostics_channel.html, "Built-in channels": each child of this process.
    const children: unknown[] = []
    const born = (child: unknown) => void children.push(child)
    subscribe('child_process', born)
    const ran = await world.ssh('ada', ada, line).finally(() => unsubscribe('child_process', born))
    expect(children).toEqual([])
    expect([0, 2, 4]).toContain(ran.code)
    expect(ran.out + ran.err).not.toMatch(/uid=|root:/)
    expect(world.host.fake.calls.filter((one) => one.method === 'engine.exec')).toHaveLength(before)
  })
})

describe('the prompt', () => {
  test('runs lines, remembers them, completes them, and ends with Ctrl-D', async () => {
    const { channel, shown, type } = await prompt()
    type('whoami\r')
    await shown('You are ada')
    await shown('dcm> ')
    type('\u001b[A\r')
    await shown('You are ada')
    await shown('dcm> ')
    type('insp\t')
    await shown('inspect ')
    type('w\t\r')
    await shown('state')
    await shown('dcm> ')
    type('stopp web\u001b[D\u001b[D\u001b[D\u001b[D\u007f\u0001\u001b[C\r')
    await shown('web is stopped')
    await shown('dcm> ')
    type('start web\r')
    await shown('web is running')
    await shown('dcm> ')
    type('p\t\t')
    await shown(/pause[\s\S]* ps/)
    const closed = code(channel)
    type('\u0015exit\r')
    expect(await closed).toBe(0)
  })

  test('F06: Ctrl-C gives a fresh line, stops waiting for what goes on, and is an answer of no', async () => {
    const { shown, type } = await prompt()
    type('half a line\u0003')
    await shown(/\^C[\s\S]*dcm> /)
    const release = world.host.fake.hold('engine.stop')
    type('stop web\r')
    await shown('stopping')
    type('\u0003')
    await shown(/goes on[\s\S]*dcm> /)
    release()
    type('rm web\r')
    await shown('[y/N]')
    type('\u0003')
    await shown(/Nothing was done[\s\S]*dcm> /)
    type('start web\r')
    await shown('web is running')
  })

  test('F09: who leaves in the middle leaves the operation to end by itself', async () => {
    const { shown, type } = await prompt()
    const release = world.host.fake.hold('engine.start')
    type('create late --image debian\r')
    await shown('starting')
    const closed = once(client, 'close')
    client.destroy()
    await closed
    release()
    await until('all to be done', async () => (await world.store.operations.countOpen()) === 0)
    expect((await world.container(person, 'late')).state).toBe('running')
    client = await world.login('ada', ada)
    expect(await world.ssh('ada', ada, 'rm late -f')).toMatchObject({ code: 0 })
  })

  test('F06: sizes, suspends, bytes without sense and a line of a megabyte leave it alive', async () => {
    const { channel, shown, type } = await prompt()
    for (const [rows, columns] of [
      [0, 0],
      [65_535, 65_535],
      [1, 1],
      [24, 80],
    ] as const)
      channel.setWindow(rows, columns, 0, 0)
    type('\u001a\u001c\u0000\u0007\u001b')
    channel.write(
      randomBytes(20_000).map((byte) => (byte === 4 || byte === 3 || byte === 13 || byte === 10 ? 65 : byte)),
    )
    type('\u0003')
    await shown(/\^C[\s\S]*dcm> /)
    channel.write(`whoami ${'x'.repeat(1024 * 1024)}\r`)
    await shown(/longer than 16384 characters[\s\S]*dcm> /)
    type('whoami\r')
    await shown('You are ada')
    expect(await world.ssh('ada', ada, 'whoami')).toMatchObject({ code: 0 })
  })

  test('I03: what a container prints moves no cursor of whoever looks', async () => {
    const { engineId } = await world.container(person, 'web')
    world.host.fake.write(engineId!, 'evil\u001b]52;c;ZXZpbA==\u0007\u001b[2J\r\u202eend\n')
    const { shown, type } = await prompt()
    type('logs web\r')
    const text = await shown(/end[\s\S]*dcm> /)
    for (const evil of ['\u001b]', '\u001b[2J', '\u202e']) expect(text).not.toContain(evil)
  })
})

describe('sessions', () => {
  test('are listed with who, from where and what, and end when they are killed', async () => {
    const { channel, shown } = await prompt()
    const closed = code(channel)
    const list = JSON.parse((await world.ssh('ada', ada, 'sessions --json')).out) as {
      data: { id: string; doing: string; address: string }[]
    }
    const mine = list.data.find((one) => one.doing === 'prompt')!
    expect(mine).toMatchObject({ member: 'ada', address: '127.0.0.1', fingerprint: expect.stringContaining('SHA256:') })
    expect(await world.ssh('zoe', (await world.someone('zoe')).key, `sessions kill ${mine.id}`)).toMatchObject({
      code: 4,
    })
    expect(await world.ssh('ada', ada, `sessions kill ${mine.id}`)).toMatchObject({ code: 0 })
    await shown('You ended this connection')
    expect(await closed).toBe(255)
    expect(JSON.parse((await world.ssh('ada', ada, 'sessions --json')).out).data).toHaveLength(1)
  })

  test('N10: end at once when the member is suspended, removed, or loses the key', async () => {
    for (const [name, line] of [
      ['sus', 'user suspend sus'],
      ['gone', 'user rm gone --yes'],
      ['lost', 'key rm KEY --as lost --yes'],
    ] as const) {
      const { key, person: who } = await world.someone(name)
      const theirs = await world.login(name, key)
      const channel = await shell(theirs)
      const shown = reader(channel)
      await shown('dcm> ')
      const closed = once(theirs, 'close')
      const mine = (await world.store.keys.of(who.id)).find((one) => key.public.includes(one.blob))!
      expect((await world.say(world.admin, line.replace('KEY', mine.id))).error).toBeUndefined()
      await shown(/suspended|no longer a member|no longer yours/)
      await closed
      await expect(world.login(name, key)).rejects.toThrow()
    }
  })

  test('are as many as a member may have, and no more', async () => {
    const { key } = await world.someone('many')
    const open = await Promise.all(Array.from({ length: 50 }, () => world.login('many', key)))
    await expect(world.login('many', key)).rejects.toThrow()
    expect(await world.ssh('ada', ada, 'whoami')).toMatchObject({ code: 0 })
    const closed = once(open[0]!, 'close')
    open[0]!.end()
    await closed
    const many = (await world.store.people.byName('many'))!
    await until('a session to end', async () => (await world.store.sessions.countOf(many.id)) < 50)
    ;(await world.login('many', key)).end()
    for (const one of open) one.end()
  })
})

test('a program that ran inside leaves its output alone and its exit code, as docker exec does', async () => {
  world.host.fake.programs(async function* () {
    yield { stream: 'stdout', data: Buffer.from('one\n') }
    return 3
  })
  const ran = await world.ssh('ada', ada, 'exec web -- make')
  expect(ran).toMatchObject({
    code: 3,
    out: 'one\n',
    err: expect.stringMatching(/make in web ended with exit code 3\.\n$/),
  })
})

test('exec over a pipe: what is piped in is said not to be passed on, and a pipe that stays open changes nothing', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  world.host.fake.programs(async function* () {
    await promise
    yield { stream: 'stdout', data: Buffer.from('one\n') }
    return 0
  })
  const client = await world.login('ada', ada)
  const channel = await exec(client, 'exec web --json -- cat')
  const ran = collect(channel)
  channel.end('data')
  // One connection keeps its order: what answers this has had the data.
  await collect(await exec(client, 'whoami'))
  resolve()
  expect(await ran).toMatchObject({
    code: 125,
    err: expect.stringMatching(
      /What was piped in was not passed on; ssh -p \d+ \S+@\S+ -- … gives a program its input\.\n$/,
    ),
  })
  expect(await collect(await exec(client, 'exec web -- cat'))).toMatchObject({ code: 0, out: 'one\n' })
  client.end()
})

test('exec over a pipe exits the same with --json, and with 125 where not all of its output came', async () => {
  world.host.fake.programs(async function* () {
    yield { stream: 'stdout', data: Buffer.alloc(70_000, 'x') }
    return 9
  })
  expect(await world.ssh('ada', ada, 'exec web -- make')).toMatchObject({
    code: 125,
    err: expect.stringMatching(/exit code 9\. Some of what it printed is left out; ssh .* gives all of it\.\n$/),
  })
  world.host.fake.programs(async function* () {
    yield* []
    return 9
  })
  expect((await world.ssh('ada', ada, 'exec web --json -- make')).code).toBe(9)
})
