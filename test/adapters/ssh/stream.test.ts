import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { ExecWish } from '../../../src/core/host/engine.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { collect, createSshWorld, exec, type Pair, type SshWorld } from './setup.ts'
import { until } from '../../setup/until.ts'

vi.setConfig({ testTimeout: 60_000 })

let world: SshWorld
let ada: Pair
let person: Person
const tar = execFileSync('tar', ['-C', import.meta.dirname, '-cf', '-', 'stream.test.ts'])

/** What the container's tar was given, and whether that had an end; what it prints. */
let got: { argv: string[]; bytes: number; ended: boolean } | undefined
let prints: Buffer = Buffer.alloc(0)

beforeAll(async () => {
  world = await createSshWorld()
  const made = await world.someone('ada')
  ;[ada, person] = [made.key, made.person]
  expect((await world.say(person, 'create web --image debian')).error).toBeUndefined()
  world.host.fake.programs(async function* ({ argv }: ExecWish, input) {
    // Signals come as programs of their own.
    if (!argv.some((word) => word.includes('tar -'))) return 0
    const mine: NonNullable<typeof got> = (got = { argv, bytes: 0, ended: false })
    for await (const piece of input as AsyncIterable<Buffer>) mine.bytes += piece.length
    mine.ended = true
    if (prints.length > 0) yield { stream: 'stdout', data: prints }
    return 0
  })
})
afterAll(() => world[Symbol.asyncDispose]())
afterEach(() => {
  got = undefined
  prints = Buffer.alloc(0)
})

test('a tar that is piped in goes into a container, whatever bytes it is made of', async () => {
  const client = await world.login('ada', ada)
  const channel = await exec(client, 'cp - web:/srv')
  const ran = collect(channel)
  for (let at = 0; at < tar.length; at += 1000) channel.write(tar.subarray(at, at + 1000))
  channel.end()
  expect(await ran).toMatchObject({ code: 0, out: expect.stringMatching(/^Copied .*k to \/srv of web\.\n$/) as string })
  expect(got).toMatchObject({ bytes: tar.length, ended: true })
  client.end()
})

test('a tar comes out, every byte of it, though nothing is piped in', async () => {
  prints = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, n) => n))
  const client = await world.login('ada', ada)
  const channel = await exec(client, 'cp web:/srv -')
  const parts: Buffer[] = []
  channel.on('data', (part: Buffer) => parts.push(part))
  const { code, err } = await collect(channel)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(Buffer.concat(parts).equals(prints)).toBe(true)
  client.end()
})

test('I03: on a terminal nothing of a tar is printed, nor held', async () => {
  prints = Buffer.from('\u001b]0;title\u0007\u001b[2J'.repeat(100))
  for (let times = 0; times < 6; times++) {
    const ran = await world.ssh('ada', ada, 'cp web:/srv -', { pty: { term: 'xterm' } })
    expect(ran.code).toBe(2)
    expect(ran.out).toContain('srv.tar is no text to print')
    expect(ran.out).not.toContain('\u001b]')
  }
})

test('a connection that is cut in the middle of a tar is no end of it: what is unpacking is ended', async () => {
  const before = world.host.fake.calls.length
  const client = await world.login('ada', ada)
  const channel = await exec(client, 'cp - web:/srv')
  channel.on('error', () => undefined)
  channel.write(tar.subarray(0, 600))
  await until('the tar to begin', () => (got?.bytes ?? 0) > 0)
  client.destroy()
  const signals = () =>
    world.host.fake.calls
      .slice(before)
      .filter(({ method, args }) => method === 'engine.exec' && (args[1] as ExecWish).argv.includes('TERM'))
  await until('it to be told', () => signals().length > 0)
  await until('the copy to be recorded', async () =>
    (await world.store.audit.read({ limit: 20 })).some((row) => row.command === 'cp' && row.decision === 'refused'),
  )
})

test('a container of another, one that is not there and a path that is none answer alike, and nothing is read', async () => {
  const bob = await world.someone('bob')
  for (const [line, status] of [
    ['cp - web:/srv', 4],
    ['cp - nope:/srv', 4],
    ['cp - web:srv', 4],
    ['cp - -', 2],
  ] as const)
    expect(await world.ssh('bob', bob.key, line, { input: tar.toString('latin1') }), line).toMatchObject({
      code: status,
      out: '',
    })
  expect(got).toBeUndefined()
})

test('who is refused hears it while still sending, and what is piped in but no text is said to be none', async () => {
  const client = await world.login('ada', ada)
  const channel = await exec(client, 'cp - nope:/srv')
  channel.on('error', () => undefined)
  const ran = collect(channel)
  // More than either side takes unread.
  channel.write(Buffer.alloc(8 * 2 ** 20))
  expect(await ran).toMatchObject({ code: 4, err: expect.stringContaining('no container called nope') as string })
  const zipped = await exec(client, 'build made:v1 -')
  const told = collect(zipped)
  zipped.end(gzipSync(tar))
  expect(await told).toMatchObject({ code: 2, err: expect.stringContaining('put gunzip before ssh') as string })
  client.end()
})

test('on a terminal there is no tar, and the sentence says how one is sent', async () => {
  const ran = await world.ssh('ada', ada, 'cp - web:/srv', { pty: { term: 'xterm' } })
  expect(ran.code).toBe(2)
  expect(ran.out).toMatch(/No tar came with this/)
})

test('build takes a tar of all that it is made of, or the Dockerfile alone, in the same place', async () => {
  world.host.fake.addImage('tools:1', { has: ['/bin/tar'] })
  expect((await world.say(world.admin, 'image offer tools:1 --name tools')).error).toBeUndefined()
  // Nothing is in what was sent, which is told once all of it has come.
  const client = await world.login('ada', ada)
  const channel = await exec(client, 'build made:v1 -')
  const ran = collect(channel)
  channel.end(tar)
  expect(await ran).toMatchObject({ code: 2, err: expect.stringContaining('There is no FROM') as string })
  expect(got).toMatchObject({ bytes: tar.length, ended: true })
  client.end()
  got = undefined
  const text = await world.ssh('ada', ada, 'build made:v1 -', { input: 'FROM debian\n' })
  expect(text, text.err).toMatchObject({ code: 0, out: expect.stringContaining('Built made:v1') as string })
  expect(got).toBeUndefined()
})
