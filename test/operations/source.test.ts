import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ExecWish } from '../../src/core/host/engine.ts'
import type { Person } from '../../src/core/model/person.ts'
import { createRunner } from '../../src/core/operation/runner.ts'
import { operations } from '../../src/operations/index.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
const ran: { argv: string[]; env: string[]; user: string | undefined; bytes: number }[] = []
/** What is in the folder that was sent or fetched, and how programs end; 0 when nobody says. */
let dockerfile: string | Buffer = 'FROM debian\nCOPY . /srv\n'
let ends: (script: string) => number = () => 0

const tar = (bytes = 2048) =>
  (async function* () {
    for (let left = bytes; left > 0; left -= 1024) yield Buffer.alloc(Math.min(left, 1024), 'x')
  })()
const send = (who: Person, args: Record<string, unknown> = {}, body: AsyncIterable<Uint8Array> = tar()) =>
  world.say(who, { name: 'build', args: { image: 'made:v1', dockerfile: '-', ...args } }, { body })
const build = (who: Person, what: string, args: Record<string, unknown> = {}) =>
  world.say(who, { name: 'build', args: { image: 'made:v1', dockerfile: what, ...args } })
const refs = async (who: Person) => (await world.store.images.of(who.id)).map((image) => image.ref)
const left = async () => ({
  containers: (await world.host.engine.list()).length,
  folders: world.host.fake.volumes(),
  running: (await world.store.people.usage(alice!.id))!.running,
  images: await refs(alice!),
})
const script = ({ argv }: { argv: string[] }) => argv[2] ?? argv[0]!
const kindOf = (text: string) =>
  text.includes('tar -xof') ? 'tar' : text.includes('git init') ? 'git' : text.includes('exec head') ? 'read' : 'other'

beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  world.host.fake.programs(async function* ({ argv, env, user }: ExecWish, input) {
    const mine = { argv, env, user, bytes: 0 }
    ran.push(mine)
    const kind = kindOf(script(mine))
    if (kind === 'tar') for await (const piece of input) mine.bytes += piece.length
    const code = ends(kind)
    if (code === 0 && kind === 'read') yield { stream: 'stdout', data: Buffer.from(dockerfile) }
    if (code !== 0) yield { stream: 'stderr', data: Buffer.from('fatal: it went wrong.\n') }
    return code
  })
})
afterAll(() => world[Symbol.asyncDispose]())
afterEach(async () => {
  ran.length = 0
  ;[dockerfile, ends] = ['FROM debian\nCOPY . /srv\n', () => 0]
  await world.say(alice!, 'rmi -f made:v1')
})

test('nothing that can be used has what it needs: it says so, and nothing stays', async () => {
  const before = await left()
  expect((await send(alice!)).text).toMatch(/^No image that you can use has tar, /)
  expect((await build(alice!, 'https://git.example/x.git')).text).toMatch(/^No image that you can use has git, /)
  expect(await left()).toEqual(before)
  world.host.fake.addImage('tools:1', { has: ['/bin/tar', '/usr/bin/git'] })
  expect((await world.say(world.admin, 'image offer tools:1 --name tools')).error).toBeUndefined()
})

test('what is sent is unpacked in a folder that only the build has, which COPY reads and nobody writes any more', async () => {
  const before = await left()
  dockerfile = 'FROM debian\nCOPY a b/ /srv/\n'
  const built = await send(alice!, { file: './docker/Dockerfile.dev' }, tar(100_000))
  expect(built).toMatchObject({ tone: 'ok', data: { image: 'made:v1' } })
  const id = built.operation!.id
  const at = '/run/dcm/volumes/0'
  expect(ran.map((one) => [kindOf(script(one)), one.argv.slice(4), one.user, one.bytes])).toEqual([
    ['tar', [at], '0', 100_000],
    ['read', [at, 'docker/Dockerfile.dev'], '0', 0],
    ['other', [at, 'what was sent', '/srv/', '', 'a', 'b/'], '0', 0],
    ['other', [], '0', 0],
  ])
  // The place that leads to it is no part of the image.
  expect(ran.at(-1)!.argv).toEqual(['/bin/rm', '-f', '/dcm-context'])
  const wishes = world.host.fake.calls.filter((call) => call.method === 'engine.create').slice(-2)
  expect(wishes.map(({ args: [wish] }) => (wish as { mounts: { volumes: object[] } }).mounts.volumes)).toMatchObject(
    [false, true].map((readOnly) => [{ source: expect.stringContaining(`/${id}`) as string, readOnly }]),
  )
  // Its lines may be anybody's, and see nothing of the member's.
  expect(wishes.map(({ args: [wish] }) => (wish as { mounts: { storage: null } }).mounts.storage)).toEqual([null, null])
  expect(await left()).toEqual({ ...before, images: ['made:v1'] })
  const [row] = await world.rows<{ input: unknown; state: unknown }>(
    `select input, state from operations where id = '${id}'`,
  )
  expect(row).toEqual({ input: {}, state: {} })
})

test('a repository is fetched in a container of the member\u2019s, with nothing that could be read as an option', async () => {
  const before = await left()
  const built = await build(alice!, 'https://git.example/team/app.git#feature/x:server')
  expect(built.error, built.text).toBeUndefined()
  const at = '/run/dcm/volumes/0'
  expect(ran.slice(0, 3).map((one) => [kindOf(script(one)), one.argv.slice(4)])).toEqual([
    ['git', [at, 'https://git.example/team/app.git', 'feature/x']],
    ['read', [`${at}/server`, 'Dockerfile']],
    ['other', [`${at}/server`, 'the repository', '/srv', '', '.']],
  ])
  expect(ran[0]!.argv[2]).toMatch(/ -- "\$2" "\$3"$/m)
  // Whatever it names is reached by the member's own network, with the limits and capabilities of any container, or not at all.
  const network = (await world.store.networks.byId(alice!.id, 'local'))!.name
  const made = world.host.fake.calls.filter((call) => call.method === 'engine.create').slice(-2)
  expect(made.map(({ args: [wish] }) => wish)).toMatchObject(
    [1, 2].map(() => ({ network, caps: [], devices: [], seccomp: null, ports: [], limits: { pids: 256 } })),
  )
  expect(await left()).toEqual({ ...before, images: ['made:v1'] })
  // A Dockerfile of one's own on a repository.
  const other = await build(alice!, 'FROM debian\nCOPY x /y', { context: 'https://git.example/x.git' })
  expect(other.error, other.text).toBeUndefined()
  expect(ran.slice(4).map((one) => kindOf(script(one)))).toEqual(['git', 'other', 'other'])
})

test.each([
  ['file:///etc', /by http:\/\/ or https:\/\/ alone/],
  ['ssh://git@host/x', /by http:\/\/ or https:\/\/ alone/],
  ['git@host:x/y.git', /by http:\/\/ or https:\/\/ alone/],
  ['ext::sh', /by http:\/\/ or https:\/\/ alone/],
  ['https://ada:hunter2@host/x', /has the password as a secret/],
  ['https://host/x#--upload-pack=id', /a branch, a tag or a whole commit id/],
  ['https://host/x#main:../..', /below its root/],
  ['https://--upload-pack=id/', /no URL of a repository/],
  ['./app', /^Files are read by the dcm command alone/],
  ['@Dockerfile', /^Files are read by the dcm command alone/],
  ['-', /^No tar came with this/],
])('%s is refused before anything is asked of the host', async (what, says) => {
  const reply = await world.refused(alice!, { name: 'build', args: { image: 'made:v1', dockerfile: what } }, 'usage')
  expect(reply.text).toMatch(says)
  expect(JSON.stringify(reply)).not.toContain('hunter2')
})

test.each([
  [{ file: '../Dockerfile' }, /^-f is the path/],
  [{ file: '/etc/passwd' }, /^-f is the path/],
  [{ file: '.' }, /^-f is the path/],
  [{ context: 'app' }, /leave --context out/],
  [{ dockerfile: 'FROM debian' }, /^With a tar the Dockerfile is in it/],
  [{ dockerfile: 'https://git.example/x.git' }, /^With a tar the Dockerfile is in it/],
])('a tar with %j is refused before any of it is read', async (args, says) => {
  let read = false
  const body = (async function* () {
    read = true
    yield Buffer.alloc(1)
  })()
  expect(await send(alice!, args, body)).toMatchObject({ error: 'usage', text: expect.stringMatching(says) as string })
  expect(read).toBe(false)
})

test.each([
  ['tar', 2, /^tar ended with code 2: fatal: it went wrong\.$/],
  ['read', 93, /^There is no plain file Dockerfile in what was sent; name the Dockerfile with -f\.$/],
  ['other', 1, /^Line 2 \(COPY \. \/srv\) ended with exit code 1/],
])('%s that ends with %i is told, and nothing stays', async (kind, code, says) => {
  const before = await left()
  ends = (now) => (now === kind ? code : 0)
  expect((await send(alice!)).text).toMatch(says)
  expect(await left()).toEqual(before)
})

test.each([
  ['git', 128, /^The repository could not be fetched: fatal: it went wrong\.$/],
  ['read', 92, /^There is no folder sub in the repository\.$/],
])('%s of a repository that ends with %i is told, and nothing stays', async (kind, code, says) => {
  const before = await left()
  ends = (now) => (now === kind ? code : 0)
  expect((await build(alice!, 'https://git.example/x.git#main:sub')).text).toMatch(says)
  expect(await left()).toEqual(before)
})

test.each([
  ['FROM vault:v1\n', /^You have no image called vault:v1\.$/],
  ['FROM debian\nADD http://127.0.0.1/ /x\n', /line 2: ADD fetches/],
  [Buffer.from([0xff, 0xfe, 0x00]), /^Dockerfile is no text\.$/],
  ['x'.repeat(60_001), /^Dockerfile is longer than 60000 bytes\.$/],
])('B02 what a Dockerfile that was fetched says is checked as any: %#', async (text, says) => {
  if ((await world.store.images.byRef(bob!.id, 'vault:v1')) === undefined) {
    await world.say(bob!, 'create vault --image debian')
    await world.say(bob!, 'commit vault vault:v1')
  }
  const before = await left()
  dockerfile = text
  expect((await send(alice!)).text).toMatch(says)
  expect(await left()).toEqual(before)
})

test('an upload that breaks off, and one that is larger than the disk that is left, leave nothing', async () => {
  const before = await left()
  const broken = (async function* () {
    yield Buffer.alloc(1024)
    throw new Error('reset')
  })()
  expect((await send(alice!, {}, broken)).text).toBe('The transfer broke off before its end.')
  expect(await left()).toEqual(before)
  await world.say(world.admin, 'quota set alice disk=1m')
  const large = await send(alice!, {}, tar(2 * 2 ** 20))
  expect(large).toMatchObject({ error: 'limited', text: expect.stringMatching(/^There is room for /) as string })
  await world.say(world.admin, 'quota unset alice disk')
  expect(await left()).toEqual(before)
})

test('K02 a crash while it is received: the next life of DCM undoes it and says so', async () => {
  const before = await left()
  // As in a process that ended at once after it was stored: what came with the call is gone with that.
  const dead = createRunner({
    works: world.works,
    operations,
    holder: 'dead',
    log: { debug() {}, info() {}, warn() {}, error() {} },
    storesOnly: true,
  })
  const input = {
    ...{ ownerId: alice!.id, ref: 'made:v1', dockerfile: null, context: null, source: { kind: 'sent' as const } },
    ...{ args: [], limits: { memory: 2 ** 28, cpus: 1000, pids: 64 }, lives: 60_000 },
  }
  const asker = {
    ...{ ownerId: alice!.id, actorId: alice!.id, actorName: 'alice', asName: null, surface: 'http' as const },
    ...{ address: null, fingerprint: null, command: 'build', target: 'made:v1', requestId: 'crashed' },
  }
  await expect(dead.begin('build', input, asker, undefined, tar())).rejects.toThrow(/which this process does not reach/)
  const id = await dead.begin('build', input, asker)
  await world.runner.resume()
  expect((await world.runner.wait(id, {}))!.reply).toMatchObject({
    error: 'conflict',
    text: 'DCM was started anew before all of it had come, so nothing is built; send it again.',
  })
  expect(await left()).toEqual(before)
})

test('K02 what was received before a crash of the engine is read and built after it', async () => {
  world.host.fake.fail('engine.create', 'down', { after: true })
  expect((await send(alice!)).error).toBeUndefined()
  await world.say(alice!, 'rmi -f made:v1')
  const before = await left()
  for (const method of ['engine.exec', 'engine.start', 'engine.commit', 'files.ensureVolume'] as const) {
    world.host.fake.fail(method, 'refused')
    expect((await send(alice!)).error, method).toBeDefined()
    expect(await left(), method).toEqual(before)
  }
})

test('a call with a key is done once, but for one with a body, which is there once', async () => {
  const call = { name: 'build', args: { image: 'made:v1', dockerfile: 'FROM debian' } }
  const first = await world.say(alice!, call, { idempotencyKey: 'k1' })
  expect((await world.say(alice!, call, { idempotencyKey: 'k1' })).operation).toEqual(first.operation)
  const sent = { name: 'build', args: { image: 'made:v1', dockerfile: '-' } }
  const [one, two] = [
    await world.say(alice!, sent, { idempotencyKey: 'k2', body: tar() }),
    await world.say(alice!, sent, { idempotencyKey: 'k2', body: tar() }),
  ]
  expect(two.operation!.id).not.toBe(one.operation!.id)
})
