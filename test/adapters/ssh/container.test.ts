import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Client } from 'ssh2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FakeProgram } from '../../stand-ins/host/fake.ts'
import type { LogChunk } from '../../../src/core/host/engine.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { collect, createSshWorld, exec, forward, type Pair, shell, type SshWorld } from './setup.ts'
import { until } from '../../setup/until.ts'

// Each opens connections of its own; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 })

let world: SshWorld
let ada: Pair
let person: Person
let eve: Pair
beforeAll(async () => {
  world = await createSshWorld()
  for (const [ref, ssh] of [
    ['debian:latest', true],
    ['bare:latest', false],
  ] as const) {
    if ((await world.store.images.byRef(null, ref)) !== undefined) continue
    const made = world.host.fake.addImage(`dcm/test/${ref}`, { has: ssh ? ['/usr/sbin/sshd'] : [] })
    const about = { ownerId: null, hostId: 'local', ref, engineId: made.engineId, engineRef: `dcm/test/${ref}` }
    await world.store.images.insert({ id: `img${ref.slice(0, 3)}`, ...about, size: 1, layers: 1, ssh })
  }
  const made = await world.someone('ada')
  ;[ada, person] = [made.key, made.person]
  eve = (await world.someone('eve')).key
  for (const line of ['create web --image debian', 'create bare --image bare', 'create shy --image debian --no-wake']) {
    const reply = await world.say(person, line)
    expect(reply.error, reply.text).toBeUndefined()
  }
  await world.say((await world.store.people.byName('eve'))!, 'create hers --image debian')
})
afterAll(() => world[Symbol.asyncDispose]())

let client: Client
beforeEach(async () => void (client = await world.login('ada', ada)))
afterEach(() => void client.end())

const audited = async (command: string) =>
  (await world.store.audit.read({ limit: 5 })).find((row) => row.command === command)
const calls = (method: string) => world.host.fake.calls.filter((one) => one.method === method)

/** A program that gives these pieces and ends with a code. */
const gives = (pieces: LogChunk[], code = 0): FakeProgram =>
  async function* () {
    yield* pieces
    return code
  }

const cat: FakeProgram = async function* (_, input) {
  for await (const data of input) yield { stream: 'stdout', data }
  return 0
}

describe('NAME+CONTAINER: a program in any image', () => {
  test('gets standard input to its end, byte for byte, and gives its exit code', async () => {
    world.host.fake.programs(cat)
    const bytes = randomBytes(3 * 1024 * 1024)
    const inside = await world.login('ada+bare', ada)
    const channel = await exec(inside, 'cat')
    const digest = createHash('sha256')
    channel.on('data', (data: Buffer) => digest.update(data))
    channel.end(bytes)
    expect((await once(channel, 'close'))[0]).toBe(0)
    expect(digest.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    world.host.fake.programs(gives([{ stream: 'stderr', data: Buffer.from('oh') }], 7))
    expect(await collect(await exec(inside, 'false'))).toEqual({ code: 7, out: '', err: 'oh' })
    inside.end()
  })

  test('is listed as open into the container until its own end, whatever else the connection does', async () => {
    world.host.fake.programs(cat)
    const { id } = await world.container(person, 'bare')
    const inside = await world.login('ada+bare', ada)
    const listed = async () => (await world.store.sessions.list()).filter((one) => one.inside.includes(id)).length
    const [one, two] = [await exec(inside, 'cat'), await exec(inside, 'cat')]
    await until('both to be open', async () => (await audited('enter')) && (await listed()) === 1)
    const [first, second] = [collect(one), collect(two)]
    two.end()
    await second
    expect(await listed()).toBe(1)
    one.end()
    await first
    await until('nothing to be open', async () => (await listed()) === 0)
    inside.end()
  })

  test('both of its streams come whole and in order, however slowly they are read', async () => {
    const pieces = Array.from({ length: 120 }, (_, at): LogChunk => ({
      stream: at % 3 === 0 ? 'stderr' : 'stdout',
      data: randomBytes(100_000),
    }))
    world.host.fake.programs(gives(pieces))
    const inside = await world.login('ada+web', ada)
    const channel = await exec(inside, 'noise')
    const got = { stdout: createHash('sha256'), stderr: createHash('sha256') }
    const slow = (stream: NodeJS.ReadableStream, digest: ReturnType<typeof createHash>) =>
      stream.on('data', (data: Buffer) => {
        digest.update(data)
        stream.pause()
        setTimeout(() => stream.resume(), 2)
      })
    slow(channel, got.stdout)
    slow(channel.stderr, got.stderr)
    expect((await once(channel, 'close'))[0]).toBe(0)
    for (const name of ['stdout', 'stderr'] as const) {
      const all = pieces.filter((piece) => piece.stream === name).map((piece) => piece.data)
      expect(got[name].digest('hex')).toBe(createHash('sha256').update(Buffer.concat(all)).digest('hex'))
    }
    inside.end()
  })

  test('is built from the line alone, and the log says who ran what kind of thing', async () => {
    world.host.fake.programs(gives([]))
    const inside = await world.login('ada+web', ada)
    await collect(await exec(inside, 'mysql -psecret; rm -rf "$HOME"'))
    const { args } = calls('engine.exec').at(-1)!
    expect(args[1]).toMatchObject({
      argv: [
        '/bin/sh',
        '-c',
        expect.stringContaining('exec "$shell" -c "$2"'),
        'dcm',
        'command',
        'mysql -psecret; rm -rf "$HOME"',
      ],
      tty: null,
    })
    expect(await audited('enter')).toMatchObject({
      actor: 'ada',
      target: 'web',
      decision: 'done',
      detail: 'command: mysql',
      fingerprint: expect.stringContaining('SHA256:'),
    })
    const session = await shell(inside, { term: 'xterm-256color', cols: 90, rows: 0 })
    session.resume()
    await once(session, 'close')
    expect(calls('engine.exec').at(-1)!.args[1]).toMatchObject({
      tty: { columns: 90, rows: 24 },
      env: expect.arrayContaining(['TERM=xterm-256color']),
    })
    inside.end()
  })

  test('F05: no variable of the client reaches it, and none of its names is a terminal’s', async () => {
    world.host.fake.programs(gives([]))
    const inside = await world.login('ada+web', ada)
    await collect(
      await exec(inside, 'env', {
        env: { LD_PRELOAD: '/x', NODE_OPTIONS: '--x', PATH: '/x' },
        pty: { term: 'x\nPATH=/evil' },
      }),
    )
    const { env } = calls('engine.exec').at(-1)!.args[1] as { env: string[] }
    expect(env).toEqual([expect.stringMatching(/^DCM_SESSION=[a-z0-9]+$/), 'TERM=xterm'])
    inside.end()
  })

  test.for(['hers', 'nope', 'eve/hers', '../web', ''])('not in %j', async (name) => {
    const before = calls('engine.exec').length
    const ran = await world.ssh(`ada+${name}`, ada, 'id').catch((error: Error) => ({ code: 255, err: error.message }))
    expect(ran.code).not.toBe(0)
    expect(calls('engine.exec')).toHaveLength(before)
  })

  test('C01: another’s container and one that is not there are told alike', async () => {
    const [hers, none] = [await world.ssh('ada+hers', ada, 'id'), await world.ssh('ada+none', ada, 'id')]
    expect(hers.err.replace('hers', 'X')).toBe(none.err.replace('none', 'X'))
    expect(hers.code).toBe(none.code)
  })

  test('what hangs up is hung up inside, and what has ended is left alone', async () => {
    const gate = Promise.withResolvers<void>()
    world.host.fake.programs(async function* (wish) {
      if (wish.argv.at(-1) === 'HUP') return 0
      yield { stream: 'stdout', data: Buffer.from('up') }
      await gate.promise
      return 0
    })
    const inside = await world.login('ada+web', ada)
    const channel = await exec(inside, 'sleep 1000')
    await once(channel, 'data')
    const before = calls('engine.exec').length
    inside.destroy()
    await until('another exec', () => calls('engine.exec').length > before)
    expect(calls('engine.exec').at(-1)!.args[1]).toMatchObject({ argv: expect.arrayContaining(['HUP']) })
    gate.resolve()
  })

  test('a signal is passed on to it, and one that there is not is nothing', async () => {
    const gate = Promise.withResolvers<void>()
    world.host.fake.programs(async function* (wish): AsyncGenerator<LogChunk, number> {
      if (wish.argv.at(-1) === 'TERM') {
        gate.resolve()
        return 0
      }
      yield { stream: 'stdout', data: Buffer.from('up') }
      await gate.promise
      return 143
    })
    const inside = await world.login('ada+web', ada)
    const channel = await shell(inside, { term: 'xterm', cols: 90, rows: 20 })
    await once(channel, 'data')
    const session = (calls('engine.exec').at(-1)!.args[1] as { env: string[] }).env[0]!.split('=')[1]
    const before = calls('engine.exec').length
    channel.signal('SEGV')
    channel.signal('TERM')
    channel.resume()
    expect((await once(channel, 'close'))[0]).toBe(143)
    const sent = calls('engine.exec').slice(before)
    expect(sent).toHaveLength(1)
    expect(sent[0]!.args[1]).toMatchObject({ argv: expect.arrayContaining([session, 'TERM']) })
    inside.end()
  })

  test('a client that sends beyond the windows it was given is cut off', async () => {
    const gate = Promise.withResolvers<void>()
    world.host.fake.programs(async function* (): AsyncGenerator<LogChunk, number> {
      yield { stream: 'stdout', data: Buffer.from('up') }
      await gate.promise
      return 0
    })
    const inside = await world.login('ada+web', ada)
    const channel = await exec(inside, 'sleep 1000')
    await once(channel, 'data')
    type Raw = { _protocol: { channelData(id: number, data: Buffer): void }; _sock: Socket }
    const { _protocol, _sock } = inside as unknown as Raw
    const { id } = (channel as unknown as { outgoing: { id: number } }).outgoing
    const cut = new Promise((resolve) => _sock.once('close', resolve))
    for (let n = 0; n < 400 && !_sock.destroyed; n++) {
      _protocol.channelData(id, Buffer.alloc(32_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await cut
    gate.resolve()
  })

  test('the engine goes away: the session says so and ends', async () => {
    world.host.fake.programs(async function* () {
      yield { stream: 'stdout', data: Buffer.from('up') }
      throw new Error('the link broke')
    })
    const ran = await world.ssh('ada+web', ada, 'top')
    expect(ran).toMatchObject({ code: 255, out: 'up', err: expect.stringContaining('lost') })
  })
})

describe('F02: forwarding', () => {
  test('goes to port 22 of one’s own container by its name, and is recorded', async () => {
    const channel = await forward(client, 'web', 22)
    channel.write('hello')
    expect(String((await once(channel, 'data'))[0])).toBe('hello')
    channel.end()
    channel.resume()
    await once(channel, 'close')
    expect(await audited('enter')).toMatchObject({ actor: 'ada', target: 'web', decision: 'done', detail: 'forward' })
  })

  test('goes to a port that was added for this, while it is there; not to one that is for others', async () => {
    const said = (line: string) => world.say(person, line)
    expect((await said('port add web 8080 --share me')).error).toBeUndefined()
    const channel = await forward(client, 'web', 8080)
    channel.write('hello')
    expect(String((await once(channel, 'data'))[0])).toBe('hello')
    channel.destroy()
    await said('port rm web 8080')
    await expect(forward(client, 'web', 8080)).rejects.toThrow()
    await said('port add web 8080')
    await expect(forward(client, 'web', 8080)).rejects.toThrow()
    await said('port rm web 8080')
  })

  test.for<[string, number]>([
    ['web', 80],
    ['web', 0],
    ['web', 23],
    ['127.0.0.1', 22],
    ['localhost', 22],
    ['::1', 22],
    ['0.0.0.0', 22],
    ['169.254.169.254', 80],
    ['hers', 22],
    ['eve/hers', 22],
    ['nope', 22],
    ['bare', 22],
    ['WEB.', 22],
    ['', 22],
    ['web\0', 22],
    ['x'.repeat(3000), 22],
  ])('to %j port %i is refused', async ([host, port]) => {
    const before = calls('net.dial').length
    await expect(forward(client, host, port)).rejects.toThrow()
    expect(calls('net.dial')).toHaveLength(before)
    expect(await audited('enter')).toMatchObject({ decision: 'refused' })
  })

  test('says why', async () => {
    await expect(forward(client, 'web', 80)).rejects.toThrow(/Only port 22 of web/)
    await expect(forward(client, 'bare', 22)).rejects.toThrow(/log in as ada\+bare/)
  })

  test('nothing is listened on, no socket file, no screen, no agent', async () => {
    const asked = (start: (done: (error?: Error | null) => void) => unknown) =>
      new Promise<string>((resolve) => start((error) => resolve(error?.message ?? 'GIVEN')))
    expect(await asked((done) => client.forwardIn('127.0.0.1', 0, done))).not.toBe('GIVEN')
    expect(await asked((done) => client.forwardIn('', 2022, done))).not.toBe('GIVEN')
    expect(await asked((done) => client.openssh_forwardInStreamLocal('/tmp/x', done))).not.toBe('GIVEN')
    expect(await asked((done) => client.openssh_forwardOutStreamLocal('/var/run/docker.sock', done))).not.toBe('GIVEN')
    expect(await asked((done) => client.exec('whoami', { x11: true }, done))).not.toBe('GIVEN')
    expect(await asked((done) => client.subsys('netconf', done))).not.toBe('GIVEN')
    expect(await asked((done) => client.sftp(done))).not.toBe('GIVEN')
  })

  test('F03: neither files nor another program are to be had of the tool', async () => {
    for (const line of [
      'scp -t /etc',
      'rsync --server . /',
      'git-upload-pack /x',
      'sftp-server',
      '/usr/lib/openssh/sftp-server',
      'sh',
      'internal-sftp',
    ])
      expect(await collect(await exec(client, line))).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringContaining('There is no command'),
      })
  })

  test('more channels than anybody needs are refused, and closing one makes room', async () => {
    const open = await Promise.all(Array.from({ length: 32 }, () => forward(client, 'web', 22)))
    await expect(forward(client, 'web', 22)).rejects.toThrow()
    for (const channel of open.slice(0, 2)) {
      channel.resume()
      channel.end()
      await once(channel, 'close')
    }
    await forward(client, 'web', 22)
  })
})

describe('wake', () => {
  test.for([
    ['stop web', 'exited'],
    ['pause web', 'paused'],
  ] as const)('after %s, coming in lets it run and says so', async ([line, state]) => {
    await world.say(person, line)
    world.host.fake.programs(gives([{ stream: 'stdout', data: Buffer.from('hi') }]))
    expect(await world.ssh('ada+web', ada, 'echo hi')).toMatchObject({
      code: 0,
      out: 'hi',
      err: expect.stringContaining(`web is ${state}`),
    })
    expect((await world.container(person, 'web')).state).toBe('running')
  })

  test('a forward does too', async () => {
    await world.say(person, 'stop web')
    ;(await forward(client, 'web', 22)).destroy()
    expect((await world.container(person, 'web')).state).toBe('running')
  })

  test('what the engine knows first is found out', async () => {
    const { engineId } = await world.container(person, 'web')
    world.host.fake.exit(engineId!, 3)
    world.host.fake.programs(gives([{ stream: 'stdout', data: Buffer.from('hi') }]))
    expect(await world.ssh('ada+web', ada, 'echo hi')).toMatchObject({ code: 0, out: 'hi' })
  })

  test('not one that was made with --no-wake, nor another’s, and what a quota refuses stays refused', async () => {
    await world.say(person, 'stop shy')
    expect(await world.ssh('ada+shy', ada, 'id')).toMatchObject({ code: 5, err: expect.stringContaining('--no-wake') })
    await expect(forward(client, 'shy', 22)).rejects.toThrow(/--no-wake/)
    expect((await world.container(person, 'shy')).state).toBe('exited')
    await world.say(person, 'stop web')
    await world.say(world.admin, 'quota set ada running=1')
    expect(await world.ssh('ada+web', ada, 'id')).toMatchObject({ code: 6, err: expect.stringMatching(/running/) })
    await world.say(world.admin, 'quota unset ada running')
  })
})

test('E04: a key that is ada’s opens nothing of eve’s, and eve’s nothing of ada’s', async () => {
  const other = await world.login('eve', eve)
  await expect(forward(other, 'web', 22)).rejects.toThrow(/no container called web/)
  expect((await world.ssh('eve+web', eve, 'id')).code).toBe(4)
  other.end()
})
