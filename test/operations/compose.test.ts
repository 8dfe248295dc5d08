import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())
const fine = async function* () {
  return 0
}
afterEach(async () => {
  world.host.fake.programs(fine)
  for (const { name } of await world.store.containers.of(alice!.id)) await world.say(alice!, `rm -f ${name}`)
  for (const { name } of await world.store.volumes.of(alice!.id)) await world.say(alice!, `volume rm ${name} --yes`)
  for (const { name } of await world.store.networks.of(alice!.id)) await world.say(alice!, `network rm ${name}`)
})

const cluster = readFileSync(join(import.meta.dirname, '../core/compose/corpus/cluster.yaml'), 'utf8')
const up = (file: string, more: Record<string, unknown> = {}, who = alice!) =>
  world.tell(who, { name: 'compose up', args: { file, ...more } })
const names = async () => (await world.store.containers.of(alice!.id)).map((one) => one.name).toSorted()
const done = (reply: { data?: unknown }) =>
  (reply.data as { services: { service: string; done: string }[] }).services.map((one) => `${one.service} ${one.done}`)

test('each comes up after those that it waits for, found by the name of its service', async () => {
  const asked: string[][] = []
  world.host.fake.programs(async function* ({ argv }) {
    asked.push(argv.slice(-1))
    return 0
  })
  const from = world.host.fake.calls.length
  const { reply, rows } = await up(cluster)
  expect(reply.error, reply.text).toBeUndefined()
  expect(reply).toMatchObject({ text: 'cluster is up: 3 services.', private: true })
  expect(done(reply)).toEqual(['queue created', 'one created', 'two created'])
  expect(await names()).toEqual(['cluster-one', 'cluster-queue', 'cluster-two'])
  const made = world.host.fake.calls.slice(from).filter(({ method }) => method === 'engine.create')
  const wishes = made.map(
    ({ args }) => args[0] as { name: string; aliases: string[]; env: string[]; limits: { memory: number } },
  )
  expect(wishes[0]).toMatchObject({
    name: 'cluster-queue',
    aliases: ['queue'],
    limits: { memory: 128 * 2 ** 20, cpus: 500, pids: 64 },
  })
  expect(wishes.find((one) => one.aliases.includes('two'))).toMatchObject({
    env: ['LEVEL=debug', 'QUEUE=queue:6379'],
    limits: { cpus: 250 },
  })
  expect(asked.length).toBeGreaterThan(0)
  // One row of the audit log for the whole, and one for each that was begun with it.
  expect(rows.map((row) => `${row.command} ${row.target ?? ''} ${row.decision}`).toSorted()).toEqual([
    'compose up  done',
    'compose up cluster-one done',
    'compose up cluster-queue done',
    'compose up cluster-two done',
  ])
  expect(JSON.stringify(rows)).not.toContain('6379')
  expect((await world.say(alice!, 'compose ps cluster')).data).toMatchObject([
    { service: 'one' },
    { service: 'queue' },
    { service: 'two', state: 'running' },
  ])
})

test('again, only what differs is made anew', async () => {
  await up(cluster)
  const same = await up(cluster)
  expect(done(same.reply)).toEqual(['queue as it was', 'one as it was', 'two as it was'])
  expect(same.asked.filter((method) => /create|start|stop|remove/.test(method))).toEqual([])
  const level = await up(cluster.replace('debug', 'trace'))
  expect(done(level.reply)).toEqual(['queue as it was', 'one as it was', 'two made anew'])
  expect((await world.container(alice!, 'cluster-two')).spec.env).toContain('LEVEL=trace')
  const limits = await up(cluster.replace('debug', 'trace').replace('memory: 128M', 'memory: 256M'))
  expect(done(limits.reply)).toEqual(['queue other limits', 'one as it was', 'two as it was'])
  const both = await up(
    cluster
      .replace('debug', 'info')
      .replace('memory: 128M', 'memory: 64M')
      .replace('mem_limit: 128m', 'mem_limit: 96m'),
  )
  expect(done(both.reply)).toEqual(['queue other limits', 'one other limits', 'two made anew'])
  expect((await world.container(alice!, 'cluster-two')).limits.memory).toBe(96 * 2 ** 20)
  await world.say(alice!, 'stop cluster-one')
  const less = await up(
    cluster
      .replace('debug', 'info')
      .replace('memory: 128M', 'memory: 64M')
      .replace('mem_limit: 128m', 'mem_limit: 96m')
      .replace(/ {2}two:[\s\S]*/, ''),
  )
  expect(less.reply.text).toBe('cluster is up: 2 services. No longer in the file: cluster-two; rm removes them.')
  expect(done(less.reply)).toEqual(['queue as it was', 'one started'])
})

test('all are admitted or none: what one cannot have, none gets', async () => {
  const file = `${cluster}volumes: { data: }\n`.replace('    ports:', '    volumes: [data:/srv/data]\n    ports:')
  await world.say(world.admin, 'quota set alice containers=2')
  const short = await up(file)
  expect(short.reply).toMatchObject({
    error: 'limited',
    text: expect.stringMatching(/^You may have 2 containers/) as string,
  })
  await world.say(world.admin, 'quota unset alice containers')
  await world.say(alice!, 'create cluster-two --image debian')
  expect((await up(file)).reply).toMatchObject({
    error: 'conflict',
    text: 'You already have a container called cluster-two.',
  })
  expect(await names()).toEqual(['cluster-two'])
  expect(await world.store.volumes.of(alice!.id)).toEqual([])
  expect((await world.store.people.usage(alice!.id))!.containers).toBe(1)
  expect(await world.store.operations.countOpen()).toBe(0)
  await world.say(alice!, 'rm -f cluster-two')
  const dry = await up(file, { 'dry-run': true })
  expect(dry.reply).toMatchObject({ text: 'compose up would be accepted now; nothing was done.' })
  expect(await names()).toEqual([])
  expect((await up(file)).reply.error).toBeUndefined()
})

test('a name that another container has on the network is refused, and so is what is under way', async () => {
  await world.say(alice!, 'create queue --image debian')
  expect((await up(cluster)).reply).toMatchObject({
    error: 'conflict',
    text: expect.stringMatching(/^queue is found as queue on your network already/) as string,
  })
  await world.say(alice!, 'rm -f queue')
  await up(cluster)
  expect((await up(cluster, { project: 'other' })).reply).toMatchObject({
    error: 'conflict',
    text: expect.stringMatching(/^cluster-queue is found as queue/) as string,
  })
  const go = world.host.fake.hold('engine.stop')
  const stopping = world.say(alice!, 'stop cluster-one')
  await expect.poll(() => world.store.operations.countOpen()).toBe(1)
  expect((await up(cluster.replaceAll('info', 'warn'))).reply).toMatchObject({
    error: 'conflict',
    text: expect.stringMatching(/^cluster-one is being stopped/) as string,
  })
  go()
  await stopping
  expect((await up(cluster, {}, bob)).reply.error).toBeUndefined()
})

test('what does not get well holds back those that wait for it, and they alone', async () => {
  world.host.fake.programs(async function* () {
    yield { stream: 'stderr', data: Buffer.from('no queue yet\n') }
    return 7
  })
  const { reply } = await up(cluster.replace('interval: 1s, retries: 3', 'interval: 10ms, timeout: 50ms, retries: 1'))
  expect(reply).toMatchObject({ error: 'conflict' })
  expect(reply.text).toContain('cluster-one: cluster-queue is not well: its health check ended with 7 (no queue yet).')
  expect(await names()).toEqual(['cluster-queue'])
  expect(await world.container(alice!, 'cluster-queue')).toMatchObject({ state: 'running' })
})

test('stop, up, logs, down: of this composition alone', async () => {
  const file = `${cluster}volumes: { data: , kept: {external: true} }\n`.replace(
    '    ports:',
    '    volumes: [data:/srv/data, kept:/srv/kept:ro]\n    ports:',
  )
  await world.say(alice!, 'create mine --image debian')
  expect((await up(file)).reply.table?.rows).toEqual([
    ['25:31', 'services.two.volumes', 'You have no volume called kept; volume create makes one.'],
  ])
  await world.say(alice!, 'volume create kept')
  expect((await up(file)).reply.error).toBeUndefined()
  expect((await world.container(alice!, 'cluster-two')).spec.volumes).toMatchObject([
    { name: 'cluster-data', path: '/srv/data', readOnly: false },
    { name: 'kept', path: '/srv/kept', readOnly: true },
  ])
  expect(done((await up(file)).reply)).toContain('two as it was')
  world.host.fake.write((await world.container(alice!, 'cluster-one')).engineId!, 'hello\nworld\n')
  expect((await world.say(alice!, 'compose logs cluster one')).code).toBe('one | hello\none | world')
  expect(await world.say(alice!, 'compose logs cluster none')).toMatchObject({ error: 'not_found' })
  expect(await world.say(alice!, 'compose stop cluster')).toMatchObject({
    text: 'cluster is stopped; compose up starts it again.',
  })
  expect((await world.container(alice!, 'cluster-two')).state).toBe('exited')
  expect(done((await up(file)).reply)).toEqual(['queue started', 'one started', 'two started'])
  expect((await world.say(alice!, 'clone cluster-one copy')).error).toBeUndefined()
  expect(await world.say(alice!, 'compose down cluster')).toMatchObject({ error: 'conflict', data: { confirm: true } })
  expect((await world.say(alice!, 'compose down cluster --yes')).text).toBe(
    'cluster is down: its containers are removed; /storage and your images are untouched.',
  )
  expect(await names()).toEqual(['copy', 'mine'])
  expect((await up(file)).reply.error).toBeUndefined()
  expect((await world.say(alice!, 'compose down cluster --volumes --yes')).text).toContain(
    'containers and volumes are removed',
  )
  expect((await world.store.volumes.of(alice!.id)).map((one) => one.name)).toEqual(['kept'])
  for (const line of [
    'compose down cluster --yes',
    'compose stop cluster',
    'compose logs cluster',
    'compose ps cluster',
  ])
    expect(await world.say(alice!, line), line).toMatchObject({
      error: 'not_found',
      text: 'You have no composition called cluster.',
    })
  await world.say(alice!, 'rmi copy:clone --yes')
})

test('what would be built has to be built before, as an image of its own; built again, it is made anew', async () => {
  const file = 'name: shop\nservices:\n  web:\n    build: { context: ./app, dockerfile: Dev file }\n'
  expect((await up(file)).reply.table?.rows).toEqual([
    [
      '4:12',
      'services.web.build',
      "Nothing is built here, and you have no image shop-web of your own: dcm build shop-web -f 'Dev file' ./app makes it first.",
    ],
  ])
  // What admins offer under that name is another image than the one that the file says how to build.
  expect((await up(`${file}    image: debian\n`)).reply.table?.rows[0]![2]).toContain('no image debian of your own')
  await world.say(alice!, 'create base --image debian')
  await world.say(alice!, 'commit base shop-web')
  const check = await world.say(alice!, { name: 'compose check', args: { file } })
  expect(check.data).toMatchObject({
    runs: true,
    services: [{ image: 'shop-web:latest' }],
    notes: [
      { key: 'services.web.build', why: expect.stringContaining('is taken as it is; dcm build shop-web') as string },
    ],
  })
  expect(done((await up(file)).reply)).toEqual(['web created'])
  expect(done((await up(file)).reply)).toEqual(['web as it was'])
  await world.say(alice!, 'commit base shop-web')
  expect(done((await up(file)).reply)).toEqual(['web made anew'])
  expect(done((await up(file)).reply)).toEqual(['web as it was'])
  await world.say(alice!, 'compose down shop --yes')
  expect((await world.say(alice!, 'rmi shop-web --yes')).error).toBeUndefined()
})

test('it is read from a form or standard input, never from a line, and without a name it is refused', async () => {
  for (const line of ['compose up', 'compose up "services: {}"'])
    expect(await world.say(alice!, line), line).toMatchObject({ error: 'usage', ask: { command: 'compose up' } })
  expect(await world.say(alice!, 'compose up -')).toMatchObject({
    error: 'usage',
    text: expect.stringMatching(/^No file came/) as string,
  })
  expect((await up(cluster.replace('name: cluster', ''))).reply).toMatchObject({
    error: 'usage',
    text: expect.stringMatching(/^Say what the whole is called/) as string,
  })
})
