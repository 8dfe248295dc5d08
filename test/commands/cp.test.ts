import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pack, type Header } from 'tar-stream'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { FakeProgram } from '../stand-ins/host/fake.ts'
import type { LogChunk } from '../../src/core/host/engine.ts'
import type { Person } from '../../src/core/model/person.ts'
import type { Reply } from '../../src/core/reply/reply.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
/** What stands for the container's file system: what runs inside runs here, in a shell and with a tar of this machine. */
let inside: string
let path = process.env.PATH
const children = new Map<string, ReturnType<typeof spawn>>()

const shell: FakeProgram = async function* (wish, input) {
  const told = /^(TERM|KILL)$/.exec(wish.argv.at(-1)!)
  if (told && wish.argv[2]!.includes('/proc/')) {
    process.kill(-children.get(wish.argv.at(-2)!)!.pid!, `SIG${told[1]!}` as NodeJS.Signals)
    return 0
  }
  const child = spawn(wish.argv[0]!, wish.argv.slice(1), { env: { PATH: path }, detached: true })
  children.set(/DCM_SESSION=(.*)/.exec(wish.env[0]!)![1]!, child)
  const chunks: LogChunk[] = []
  let wake = () => {}
  let code: number | null | undefined
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]!.on('data', (data: Buffer) => {
      chunks.push({ stream, data })
      wake()
    })
  child.stdin!.on('error', () => undefined)
  child.on('close', (ended) => {
    code = ended ?? 255
    wake()
  })
  void (async () => {
    for await (const data of input)
      if (!child.stdin!.write(data)) await new Promise((go) => child.stdin!.once('drain', go))
    child.stdin!.end()
  })().catch(() => undefined)
  for (;;) {
    while (chunks.length > 0) yield chunks.shift()!
    if (typeof code === 'number') return code
    await new Promise<void>((resolve) => (wake = resolve))
  }
}

beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  await world.say(alice, 'create web --image debian')
  world.host.fake.programs(shell)
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  inside = await mkdtemp(join(tmpdir(), 'dcm-cp-'))
  path = process.env.PATH
  return () => rm(inside, { recursive: true, force: true })
})

type Entry = Partial<Header> & { name: string; text?: string }
function tarOf(...entries: Entry[]): AsyncIterable<Uint8Array> {
  const tar = pack()
  for (const { text, ...header } of entries) tar.entry(header, text ?? '')
  tar.finalize()
  return tar as unknown as AsyncIterable<Uint8Array>
}

const call = (name: string, args: Record<string, unknown>, body?: AsyncIterable<Uint8Array>, who = alice!) =>
  world.door.handle({ actor: { person: who, surface: 'http' }, input: { name, args }, ...(body ? { body } : {}) })
const put = (to: string, body: AsyncIterable<Uint8Array>, more: Record<string, unknown> = {}) =>
  call('cp', { source: '-', target: `web:${inside}${to}`, ...more }, body)
const take = (from: string) => call('cp', { source: `web:${inside}${from}`, target: '-' })
const list = async () => (await readdir(inside, { recursive: true })).toSorted()
const sizeOf = (reply: Reply) => (reply.data as { bytes: number }).bytes

test('a tar goes into a folder that is there, and comes out again', async () => {
  const reply = await put('', tarOf({ name: 'a/b', text: 'hello' }))
  expect(reply).toMatchObject({ tone: 'ok', private: true, data: { container: 'web', path: inside, file: null } })
  expect(sizeOf(reply)).toBeGreaterThan(512)
  expect(await readFile(join(inside, 'a', 'b'), 'utf8')).toBe('hello')
  const out = await take('/a')
  expect(out.file).toMatchObject({ name: 'a.tar', type: 'application/x-tar' })
  const bytes = await buffer(out.file!.bytes)
  await rm(join(inside, 'a'), { recursive: true })
  async function* again() {
    yield bytes
  }
  await put('', again())
  expect(await list()).toEqual(['a', 'a/b'])
})

test('a named thing goes into the folder at the path, or becomes the path', async () => {
  await mkdir(join(inside, 'srv'))
  const site: Entry[] = [
    { name: 'site', type: 'directory' },
    { name: 'site/index', text: 'one' },
  ]
  expect((await put('/srv', tarOf(...site), { name: 'site' })).error).toBeUndefined()
  expect((await put('/new', tarOf(...site), { name: 'site' })).error).toBeUndefined()
  expect((await put('/new/-x y', tarOf({ name: '-x', text: '2' }), { name: '-x' })).error).toBeUndefined()
  expect(await list()).toEqual(['new', 'new/-x y', 'new/index', 'srv', 'srv/site', 'srv/site/index'])
  for (const name of ['..', 'a/b', '', '.'])
    expect(await put('', tarOf(...site), { name }), name).toMatchObject({ error: 'usage' })
})

test('what is not there is said, and nothing is made', async () => {
  expect(await put('/none', tarOf({ name: 'a', text: '1' }))).toMatchObject({
    error: 'not_found',
    text: `There is no ${inside}/none in web.`,
  })
  expect(await put('/none/', tarOf({ name: 'a', text: '1' }), { name: 'a' })).toMatchObject({ error: 'not_found' })
  expect(await put('/no/ne', tarOf({ name: 'a', text: '1' }), { name: 'a' })).toMatchObject({
    error: 'not_found',
    text: `There is no folder in web that ${inside}/no/ne could be in.`,
  })
  expect(await take('/none')).toMatchObject({ error: 'not_found', text: `There is no ${inside}/none in web.` })
  expect(await list()).toEqual([])
})

test('an image without tar says so', async () => {
  path = '/nonexistent'
  for (const reply of [await put('', tarOf({ name: 'a' })), await take('')])
    expect(reply).toMatchObject({
      error: 'conflict',
      text: expect.stringMatching(/^web has no tar, which cp needs: install it/) as string,
    })
})

async function* broken(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
  await new Promise((resolve) => setTimeout(resolve, 100))
  throw new Error('aborted')
}

test('an upload that breaks off leaves nothing of a new thing, and says that a folder may be incomplete', async () => {
  const bytes = (await buffer(tarOf({ name: 'a', text: 'x'.repeat(200_000) }))).subarray(0, 100_000)
  expect(await put('/new', broken(bytes), { name: 'a' })).toMatchObject({
    error: 'conflict',
    text: 'The transfer broke off before its end.',
  })
  expect(await list()).toEqual([])
  expect(await put('', broken(bytes))).toMatchObject({
    text: `The transfer broke off before its end. What is at ${inside} of web now may be incomplete.`,
  })
  async function* noise() {
    yield Buffer.alloc(20_480, 'no tar at all ')
  }
  expect(await put('/new', noise(), { name: 'a' })).toMatchObject({
    error: 'conflict',
    text: expect.stringMatching(/^tar in web ended with code 2: /) as string,
  })
  expect(await list()).toEqual(['a'])
})

test('a full disk refuses at once, and no more comes than there is room for', async () => {
  const set = (disk: number) => world.sql(`update usage set disk = ${disk} where owner_id = '${alice!.id}'`)
  await set(10 * 2 ** 30 - 100_000)
  async function* endless() {
    for (;;) yield Buffer.alloc(65_536)
  }
  expect(await put('/new', endless(), { name: 'a' })).toMatchObject({
    error: 'limited',
    text: expect.stringMatching(/^There is room for 97\.7k more/) as string,
  })
  // What was being unpacked is cleared away by the script itself, on the signal that it gets.
  await expect.poll(list).toEqual([])
  await set(10 * 2 ** 30)
  const before = world.host.fake.calls.filter(({ method }) => method === 'engine.exec').length
  expect(await put('', endless())).toMatchObject({
    error: 'limited',
    text: expect.stringMatching(/^10g of 10g of disk are used/) as string,
  })
  expect(world.host.fake.calls.filter(({ method }) => method === 'engine.exec')).toHaveLength(before)
  await set(0)
})

test('only so many at a time; a reader that goes away in the middle makes room and ends the tar', async () => {
  await writeFile(join(inside, 'big'), Buffer.alloc(4 * 2 ** 20))
  const open: Reply[] = []
  for (let at = 0; at < 4; at++) open.push(await take('/big'))
  expect(await take('/big')).toMatchObject({
    error: 'limited',
    text: 'You copy 4 things already; let one of them end first.',
  })
  for (const { file } of open) for await (const _ of file!.bytes) break
  const last = await take('/big')
  expect((await buffer(last.file!.bytes)).length).toBeGreaterThan(4 * 2 ** 20)
  for (const child of children.values())
    if (child.exitCode === null && child.signalCode === null) await new Promise((go) => child.once('close', go))
})

test('who may not enter gets nowhere, and both ends or none are no copy', async () => {
  expect(await call('cp', { source: 'alice/web:/etc', target: '-' }, undefined, bob)).toMatchObject({
    error: 'not_found',
  })
  await world.say(alice!, 'share web bob --view')
  expect(await call('cp', { source: 'alice/web:/etc', target: '-' }, undefined, bob)).toMatchObject({ error: 'denied' })
  await world.say(alice!, 'share web bob --exec --yes')
  await writeFile(join(inside, 'note'), 'shared')
  const shared = await call('cp', { source: `alice/web:${inside}/note`, target: '-' }, undefined, bob)
  expect((await buffer(shared.file!.bytes)).toString()).toContain('shared')
  for (const line of ['cp web:/a web:/b', 'cp - -', 'cp web:etc -', 'cp - web:/srv'])
    expect(await world.say(alice!, line), line).toMatchObject({ error: 'usage' })
})

test('a stopped container says so', async () => {
  await world.say(alice!, 'stop web')
  for (const reply of [await put('', tarOf({ name: 'a' })), await take('')])
    expect(reply).toMatchObject({
      error: 'conflict',
      text: 'web is not running, so nothing can be copied.',
      actions: [{ line: 'start web' }],
    })
  await world.say(alice!, 'start web')
})
